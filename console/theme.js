// Takes up the theme of last time before anything is painted, and changes it. The theme is all that is ever kept in the browser.
(() => {
  const key = "tollgate-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: light)");

  const kept = () => {
    try {
      const theme = localStorage.getItem(key);
      return theme === "light" || theme === "dark" ? theme : null;
    } catch {
      return null; // Storage is switched off: the system decides.
    }
  };
  const current = () => kept() ?? (system.matches ? "light" : "dark");
  const show = () => {
    root.dataset.theme = current();
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      const next = current() === "dark" ? "light" : "dark";
      button.textContent = next === "light" ? "☀" : "☾";
      button.setAttribute("aria-label", `Switch to the ${next} theme`);
      button.title = `Switch to the ${next} theme`;
    }
  };

  show();
  system.addEventListener("change", show);
  addEventListener("DOMContentLoaded", () => {
    show();
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.addEventListener("click", () => {
        try {
          localStorage.setItem(key, current() === "dark" ? "light" : "dark");
        } catch {
          root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
          return;
        }
        show();
      });
    }
  });
})();
