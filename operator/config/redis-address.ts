/** The forms in which people write where a Redis server is. The driver connects; here they are only checked. */

/** What an address carries besides host and port; absent parts are not in it. */
export interface RedisAddress {
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
}

const RULE = 'must be host:port (6379 when no port is given) or a URL such as redis://user:password@host:6379/0';

/** The parts of an address, or the sentence that says what is wrong with it. */
export function parseRedisAddress(text: string): RedisAddress | string {
  if (/^rediss?:\/\//.test(text)) return parseUrl(text);
  const parts = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:(?<port>\d{1,5}))?$/.exec(text);
  return parts && isPort(parts.groups?.['port']) ? {} : RULE;
}

function parseUrl(text: string): RedisAddress | string {
  const url = URL.parse(text);
  if (!url?.hostname || url.search || url.hash || !isPort(url.port)) return RULE;
  const db = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1];
  if (db === undefined) return RULE;
  return {
    ...(url.username === '' ? {} : { username: url.username }),
    ...(url.password === '' ? {} : { password: url.password }),
    ...(db === '' ? {} : { db: Number(db) }),
  };
}

const MEMBER_RULE = 'must be host:port or rediss://host:port; user and password have keys of their own';

/** What is wrong with the address of one of several servers; `undefined`: nothing. */
export function memberProblem(text: string): string | undefined {
  const plain = text.replace(/^rediss?:\/\//, '');
  const fine = !plain.includes('/') && typeof parseRedisAddress(plain) === 'object';
  return fine ? undefined : MEMBER_RULE;
}

/** No port is right as well. */
function isPort(port: string | undefined): boolean {
  return !port || (Number(port) > 0 && Number(port) <= 65_535);
}
