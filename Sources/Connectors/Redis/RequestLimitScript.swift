// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The script that counts requests: what `SlidingWindow` does, for all limits of a request at once and on the data of Redis.
///
/// A key holds one array a window (minute, hour, day), packed: parts in the order of time, each followed by its count. It lives as long as
/// the last of them counts; under a clock that is given, which says nothing of how long Redis' own takes to get there, for a day.
///
/// Keys: one a limit. Arguments: `take`, `look` or `back`; the UNIX microsecond to count under, or -1 for Redis' own clock (`back`: the
/// second under which it was counted); then for each key the limits of minute, hour and day, -1 where there is none.
/// Answer of `take` and `look`: 1 or 0 for admitted, the second it was counted under, the microsecond of the clock, and for each
/// window that has a limit: remaining, reset, and the second it opens, -1 where it has room.
enum RequestLimitScript {
    static let script = RedisScript(
        """
        local lengths = {1, 60, 1440}
        local mode = ARGV[1]
        local micros = tonumber(ARGV[2])
        local isOwnClock = mode ~= 'back' and micros < 0
        if isOwnClock then
          local time = redis.call('TIME')
          micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
        end
        local now = math.floor(micros / 1000000)
        if mode == 'back' then now = tonumber(ARGV[2]) end

        local function load(key)
          local packed = redis.call('GET', key)
          if not packed then return {{}, {}, {}} end
          local ok, state = pcall(cmsgpack.unpack, packed)
          if not ok or type(state) ~= 'table' or #state ~= 3 then return {{}, {}, {}} end
          return state
        end

        local function save(key, state)
          local ends = 0
          for w = 1, 3 do
            local parts = state[w]
            if #parts > 0 then ends = math.max(ends, (parts[#parts - 1] + 60) * lengths[w]) end
          end
          if ends == 0 then
            redis.call('DEL', key)
          elseif mode == 'back' then
            redis.call('SET', key, cmsgpack.pack(state), 'KEEPTTL')
          else
            local life = isOwnClock and math.max(1, math.min(ends - now + 1, 90000)) or 90000
            redis.call('SET', key, cmsgpack.pack(state), 'PX', life * 1000)
          end
        end

        if mode == 'back' then
          for k = 1, #KEYS do
            local state = load(KEYS[k])
            local changed = false
            for w = 1, 3 do
              if tonumber(ARGV[2 + (k - 1) * 3 + w]) >= 0 then
                local parts = state[w]
                local part = math.floor(now / lengths[w])
                for i = #parts - 1, 1, -2 do
                  if parts[i] == part then
                    changed = true
                    if parts[i + 1] > 1 then
                      parts[i + 1] = parts[i + 1] - 1
                    else
                      table.remove(parts, i + 1)
                      table.remove(parts, i)
                    end
                    break
                  end
                end
              end
            end
            if changed then save(KEYS[k], state) end
          end
          return 1
        end

        local function advance(parts, part)
          local count = #parts
          if count == 0 then return part, parts, false end
          local newest = parts[count - 1]
          if part < newest then
            if newest - part >= 60 then return part, {}, true end
            return newest, parts, false
          end
          local first = 1
          while first < count and parts[first] <= part - 60 do first = first + 2 end
          if first == 1 then return part, parts, false end
          local rest = {}
          for i = first, count do rest[#rest + 1] = parts[i] end
          return part, rest, true
        end

        local admitted = 1
        local counted = now
        local states, dirty, answer = {}, {}, {0, 0, string.format('%.0f', micros)}
        for k = 1, #KEYS do
          local state = load(KEYS[k])
          states[k] = state
          for w = 1, 3 do
            local limit = tonumber(ARGV[2 + (k - 1) * 3 + w])
            if limit >= 0 then
              local length = lengths[w]
              local part, parts, changed = advance(state[w], math.floor(now / length))
              if changed then
                state[w] = parts
                dirty[k] = true
              end
              local total = 0
              for i = 2, #parts, 2 do total = total + parts[i] end
              local opens = -1
              if total >= limit then
                admitted = 0
                opens = (part + 60) * length
                local rest = total
                for i = 1, #parts, 2 do
                  rest = rest - parts[i + 1]
                  if rest < limit then
                    opens = (parts[i] + 60) * length
                    break
                  end
                end
              end
              counted = math.max(counted, part * length)
              answer[#answer + 1] = math.max(0, limit - total)
              answer[#answer + 1] = ((parts[1] or part) + 60) * length
              answer[#answer + 1] = opens
            end
          end
        end
        if mode == 'take' and admitted == 1 then
          for i = 4, #answer, 3 do answer[i] = answer[i] - 1 end
          for k = 1, #KEYS do
            for w = 1, 3 do
              if tonumber(ARGV[2 + (k - 1) * 3 + w]) >= 0 then
                local part, parts = advance(states[k][w], math.floor(counted / lengths[w]))
                states[k][w] = parts
                local count = #parts
                if count > 0 and part <= parts[count - 1] then
                  parts[count] = parts[count] + 1
                else
                  parts[count + 1] = part
                  parts[count + 2] = 1
                end
              end
            end
            dirty[k] = true
          end
        end
        for k in pairs(dirty) do save(KEYS[k], states[k]) end
        answer[1] = admitted
        answer[2] = counted
        return answer
        """)
}
