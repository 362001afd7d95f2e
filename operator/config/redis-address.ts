/** The forms in which people and providers write where a Redis server is. The driver connects; here they are only checked. */

/** What an address carries besides host and port; absent parts are not in it. */
export interface RedisAddress {
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  /** Parameters that are not used and do no harm. */
  readonly ignored: readonly string[];
}

const RULE = 'must be host:port (6379 when no port is given) or a URL such as redis://user:password@host:6379/0';
const ENCODE =
  'has a password that is not URL-encoded: write %25 for "%", %40 for "@", %23 for "#", %3A for ":", %2F for "/", %3F for "?"; or set redis.passwordFile (HIGHLANDER_REDIS_PASSWORD_FILE) instead';

/** Forms of other clients, and how the same is written here. */
const OTHER_FORMS: readonly (readonly [RegExp, string])[] = [
  [/^valkeys?:\/\//, 'is a URL of Valkey: write redis:// for valkey://, and rediss:// for valkeys://'],
  [
    /^rediss?[+-]sentinel:\/\//,
    'names Sentinels: set redis.sentinel.addrs and redis.sentinel.masterName (HIGHLANDER_REDIS_SENTINEL_ADDRS, HIGHLANDER_REDIS_SENTINEL_MASTER_NAME) instead',
  ],
  [
    /^[^/,]{1,300},[^,]{0,100}=/,
    'is an option list of the .NET client: write rediss://host:port, with the password in redis.passwordFile (HIGHLANDER_REDIS_PASSWORD_FILE)',
  ],
  [
    /^(?:rediss?:\/\/)?[^/?#]{1,300},/,
    'names several servers: set redis.cluster.addrs (HIGHLANDER_REDIS_CLUSTER_ADDRS), or redis.sentinel.addrs where they are Sentinels, instead',
  ],
  [/^(?:redis\+unix:|unix:\/(?!\/)|redis-socket:)/, 'is a Unix socket: write unix:///run/redis/redis.sock'],
  [
    /^(?:unix:\/\/)?\/[^?#]*\?/,
    'is a Unix socket with parameters: leave them out, and set redis.db (HIGHLANDER_REDIS_DB)',
  ],
];

/** Parameters that would change where the connection goes, and where that is said instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  db: 'redis.db',
  database: 'redis.db',
  user: 'redis.username',
  username: 'redis.username',
  password: 'redis.passwordFile',
  ssl_ca_certs: 'redis.tls.ca',
  ssl_certfile: 'redis.tls.cert',
  ssl_keyfile: 'redis.tls.key',
};

/** The parts of an address, or the sentence that says what is wrong with it. */
export function parseRedisAddress(text: string): RedisAddress | string {
  const parsed = parseForm(text);
  // A password may look like any other form; what is a URL is judged as one.
  if (typeof parsed === 'object' || parsed === ENCODE) return parsed;
  return OTHER_FORMS.find(([form]) => form.test(text))?.[1] ?? parsed;
}

function parseForm(text: string): RedisAddress | string {
  if (/^rediss?:\/\//.test(text)) return parseUrl(text);
  if (/^(unix:\/\/)?\/[^?#]+$/.test(text)) return { ignored: [] };
  const parts = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:(?<port>\d{1,5}))?$/.exec(text);
  return parts && isPort(parts.groups?.['port']) ? { ignored: [] } : RULE;
}

function parseUrl(text: string): RedisAddress | string {
  const url = URL.parse(text);
  if (!isEncoded(text, url)) return ENCODE;
  if (!url || !/^[^%,\s]+$/.test(url.hostname) || url.hash || !isPort(url.port)) return RULE;
  const ignored = [...url.searchParams.keys()];
  const moved = ignored.find((name) => Object.hasOwn(ELSEWHERE, name));
  if (moved !== undefined)
    return `has the parameter "${moved}", which is not supported: set ${ELSEWHERE[moved]} instead`;
  const db = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1];
  if (db === undefined) return RULE;
  return {
    ...(url.username === '' ? {} : { username: url.username }),
    ...(url.password === '' ? {} : { password: url.password }),
    ...(db === '' ? {} : { db: Number(db) }),
    ignored,
  };
}

/** Whoever writes a special character into a password has an `@` behind it that is not where a URL has one. */
function isEncoded(text: string, url: URL | null): boolean {
  const after = text.slice(text.indexOf('//') + 2);
  const authority = after.slice(0, Math.max(0, after.search(/[/?#]|$/)));
  if (after.lastIndexOf('@') >= authority.length) return false;
  try {
    decodeURIComponent(url?.username ?? '');
    decodeURIComponent(url?.password ?? '');
    return true;
  } catch {
    return false;
  }
}

const MEMBER_RULE = 'must be host:port or rediss://host:port; user and password have their own settings';

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
