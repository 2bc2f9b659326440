"""The Lua scripts that Redis runs: each decides all limits of one request at once, on the server's own clock.

A limit is a hash. Its field `t` is the theoretical arrival time; every other field is named by the second until which
requests may hold something back, and has the units that they hold. What is still held then belonged to a gateway that
died, and is counted as used.
"""

TAKE = """
local count, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local worst, wait = 0, 0
local arrivals, levels, overdue = {}, {}, {}
for i = 1, count do
  local at = 4 * i - 1
  local interval, cost = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local arrival, held, late, dead = now, 0, 0, {}
  local fields = redis.call('HGETALL', KEYS[i])
  for f = 1, #fields, 2 do
    local amount = tonumber(fields[f + 1])
    if fields[f] == 't' then
      if amount > now then arrival = amount end
    elseif tonumber(fields[f]) <= now then
      late = late + amount
      dead[#dead + 1] = fields[f]
    else
      held = held + amount
    end
  end
  arrival = arrival + late * interval
  local level = arrival - now + (held + cost) * interval
  local over = level - tonumber(ARGV[at + 2])
  if over > wait then worst, wait = i, over end
  arrivals[i], levels[i], overdue[i] = arrival, level, dead
end
local answer = {1, ''}
for i = 1, count do answer[i + 2] = string.format('%.6f', levels[i]) end
if worst > 0 then
  answer[1], answer[2] = -worst, string.format('%.6f', wait)
  return answer
end
if #KEYS > count then
  if redis.call('PFCOUNT', unpack(KEYS, count + 1)) >= tonumber(ARGV[4 * count + 3]) then
    answer[1] = 0
    return answer
  end
  redis.call('PFADD', KEYS[#KEYS], ARGV[4 * count + 4])
  redis.call('EXPIRE', KEYS[#KEYS], ARGV[4 * count + 5])
end
local expiry = string.format('%d', (math.floor((now + lease) / 60) + 1) * 60)
answer[2] = expiry
for i = 1, count do
  local at = 4 * i - 1
  local interval, cost = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  if #overdue[i] > 0 then redis.call('HDEL', KEYS[i], unpack(overdue[i])) end
  local holds = ARGV[at + 3] == '1'
  if holds then redis.call('HINCRBYFLOAT', KEYS[i], expiry, ARGV[at + 1]) end
  if not holds or #overdue[i] > 0 then
    local arrival = holds and arrivals[i] or arrivals[i] + cost * interval
    redis.call('HSET', KEYS[i], 't', string.format('%.17g', arrival))
  end
  redis.call('EXPIRE', KEYS[i], string.format('%d', math.ceil(levels[i]) + lease + 120))
end
return answer
"""

SETTLE = """
local expiry, lease = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
for i = 1, #KEYS do
  local at = 3 * i
  local held = tonumber(redis.call('HGET', KEYS[i], expiry) or '')
  if held then
    local left = held - tonumber(ARGV[at + 1])
    if left > 0.000000001 then
      redis.call('HSET', KEYS[i], expiry, string.format('%.17g', left))
    else
      redis.call('HDEL', KEYS[i], expiry)
    end
    local arrival = tonumber(redis.call('HGET', KEYS[i], 't') or '') or now
    if arrival < now then arrival = now end
    arrival = arrival + tonumber(ARGV[at + 2]) * tonumber(ARGV[at])
    redis.call('HSET', KEYS[i], 't', string.format('%.17g', arrival))
    redis.call('EXPIRE', KEYS[i], string.format('%d', math.ceil(arrival - now) + lease + 120))
  end
end
return 1
"""
