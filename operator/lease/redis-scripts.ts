/**
 * The driver's three atomic steps. A cell is one hash: `value`, `version` (`<sequence>-<random>`) and `writtenAt`
 * (microseconds of this server's own clock). It has no time to live: an absent cell means lost data, not a free lease.
 * Each script touches one key, so it runs on a cluster as well, and refuses a replica, whose data may be old.
 */
import type { Result } from 'ioredis';

/**
 * `incarnation` joins the process (`run_id`: another one after a restart or on a promoted replica) and the history of
 * its data (`master_replid`: another one when this process followed somebody else meanwhile). The latter also changes
 * when the first replica joins, or none was left for an hour: a needless wait, never a missed loss.
 * `now` stays a string: a Lua number would print as 1.7e+15.
 */
const prelude = `
local server, data = redis.call('INFO', 'server'), redis.call('INFO', 'replication')
if data:find('role:slave', 1, true) then
  return redis.error_reply('READONLY this server is a replica')
end
local _, process = server:find('\\nrun_id:', 1, true)
local _, history = data:find('\\nmaster_replid:', 1, true)
local incarnation = server:sub(process + 1, process + 16) .. '-' .. data:sub(history + 1, history + 16)
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
`;

/**
 * KEYS[1] the cell.
 * Output: {incarnation, now in microseconds}, and when there is a cell {…, version, value, age in microseconds}.
 */
const readCell = `${prelude}
local cell = redis.call('HMGET', KEYS[1], 'version', 'value', 'writtenAt')
if not cell[1] then return {incarnation, now} end
local age = tonumber(now) - tonumber(cell[3] or now)
return {incarnation, now, cell[1], cell[2] or '', math.max(0, age)}
`;

/**
 * KEYS[1] the cell. ARGV[1] the expected version, '' for no cell; ARGV[2] the value; ARGV[3] a random text,
 * by which a version is never used twice, not even by a cell that was removed and made again.
 * Output: {incarnation} when the version was another one, else {incarnation, the new version}.
 * The hint goes out by pcall: a user who may not publish must not see a failure of a write that was done.
 */
const writeCell = `${prelude}
local version = redis.call('HGET', KEYS[1], 'version') or ''
if version ~= ARGV[1] then return {incarnation} end
local sequence = tonumber(version:match('^%d+') or 0) + 1
local written = string.format('%.0f', sequence) .. '-' .. ARGV[3]
redis.call('HSET', KEYS[1], 'value', ARGV[2], 'version', written, 'writtenAt', now)
redis.pcall('PUBLISH', KEYS[1], written)
return {incarnation, written}
`;

/**
 * KEYS[1] the cell. ARGV[1] the expected version.
 * Output: 1 when the cell was removed, 0 when there is none or its version is another one.
 */
const removeCell = `
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.pcall('PUBLISH', KEYS[1], '')
return 1
`;

/** For the client's `scripts` option: sent in full once per connection, by digest from then on. */
export const scripts = {
  readCell: { lua: readCell, numberOfKeys: 1 },
  writeCell: { lua: writeCell, numberOfKeys: 1 },
  removeCell: { lua: removeCell, numberOfKeys: 1 },
};

/** Reply of the script that reads; times are microseconds. Without `version` there is no cell. */
export type ReadRow = [incarnation: string, nowMicros: string, version?: string, value?: string, ageMicros?: number];
/** Reply of the script that writes; without `version` nothing was written. */
export type WriteRow = [incarnation: string, version?: string];

declare module 'ioredis' {
  interface RedisCommander<Context> {
    readCell(key: string): Result<ReadRow, Context>;
    writeCell(key: string, expected: string, value: string, random: string): Result<WriteRow, Context>;
    removeCell(key: string, expected: string): Result<number, Context>;
  }
}
