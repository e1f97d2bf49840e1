// The box for boolean queries. The server judges them; a fault is shown with a caret under the text it is about.
import { make } from "./dom.js";
import { Refusal, inWords } from "./api.js";

const reasons = {
  expected_field: "a field name is expected here",
  expected_operator: "an operator is expected here: = != ~ >= <=",
  expected_value: "a value is expected here",
  expected_connective: "AND or OR is expected here",
  unbalanced_parenthesis: "this parenthesis has no other half",
  unterminated_string: "this quote is never closed",
  bad_escape: "only \\\" and \\\\ may follow a backslash",
  bad_character: "this character may not stand here",
  too_long: "a query has at most 2048 characters",
  too_deep: "the nesting is deeper than 32",
  too_many_terms: "a query has at most 64 comparisons",
};

/** Shows so much of the text around the place as fits. */
function excerpt(text, position) {
  const scalars = [...text].map((scalar) => (scalar < " " ? " " : scalar));
  const start = Math.max(0, position - (innerWidth < 600 ? 18 : 60));
  const end = Math.min(scalars.length, position + 12);
  const head = start > 0 ? "…" : "";
  return {
    line: head + scalars.slice(start, end).join("") + (end < scalars.length ? "…" : ""),
    caret: " ".repeat(head.length + position - start) + "^",
  };
}

/** Fills a form with the box. `apply(text)` is called with every query; a refusal that it throws is shown. */
export function queryBox(form, { label, placeholder, button, apply }) {
  const id = `${form.id}-text`;
  const input = make("input", {
    id, type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder,
    "aria-describedby": `${form.id}-fault`, enterkeyhint: "search",
  });
  const clear = make("button", { type: "button", hidden: true }, "Clear");
  const fault = make("div.fault", { id: `${form.id}-fault`, role: "alert" });
  const help = make("details.help", {}, make("summary", {}, "How to write a query"), make("dl", {},
    make("dt", {}, "kind=action_fail"), make("dd", {}, "a member is exactly that; != for anything else"),
    make("dt", {}, "alertname~latency"), make("dd", {}, "contains the text, in any case"),
    make("dt", {}, "ts>=2026-01-31T00:00:00Z"), make("dd", {}, "from then on; <= for until then"),
    make("dt", {}, 'rule="High load"'), make("dd", {}, "quotes around values with blanks"),
    make("dt", {}, "(a=1 OR b=2) AND NOT c~x"), make("dd", {}, "AND, OR, NOT and parentheses")));
  form.append(
    make("label", { for: id }, label),
    make("div.query-row", {}, input, make("button.primary", { type: "submit" }, button), clear), fault, help);

  const show = (error, text) => {
    input.setAttribute("aria-invalid", error ? "true" : "false");
    if (!error) return fault.replaceChildren();
    const position = error instanceof Refusal ? error.details.position : undefined;
    if (!Number.isInteger(position)) return fault.replaceChildren(make("p.notice.bad", {}, inWords(error)));
    const { line, caret } = excerpt(text, position);
    const why = reasons[error.details.reason] ?? error.message;
    fault.replaceChildren(
      make("pre.fault-text", { "aria-hidden": "true" }, `${line}\n${caret}`),
      make("p.notice.bad", {}, `At character ${position + 1}: ${why}.`));
    const units = [...text].slice(0, position).join("").length;
    input.focus();
    input.setSelectionRange(units, units);
  };
  const run = async () => {
    const text = input.value.trim();
    clear.hidden = !text;
    try {
      await apply(text);
      show(null);
    } catch (error) {
      if (error.name !== "AbortError") show(error, text);
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  clear.addEventListener("click", () => {
    input.value = "";
    input.focus();
    run();
  });
  return {
    run,
    /** Puts a query into the box and runs it. */
    set: (text) => {
      input.value = text;
      return run();
    },
  };
}
