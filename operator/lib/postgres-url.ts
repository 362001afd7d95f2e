/**
 * Where a PostgreSQL database is, as people and providers write it. Only what is written counts: no variables of the
 * environment, no files in the home directory.
 */

/** As in libpq, without the modes that may fall back to a connection in the clear. */
export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** The parts of an address. */
export interface PostgresAddress {
  /** Name or address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password?: string;
  readonly sslMode?: SslMode;
  /** By which a provider's proxy finds the database; sent as it is when the connection begins. */
  readonly options?: string;
  /** Parameters that are not used and do no harm. */
  readonly ignored: readonly string[];
}

const EXAMPLE = 'postgres://user:password@host:5432/database';
const RULE = `must be a URL such as ${EXAMPLE} (special characters of the password as %xx)`;
const SSL_MODES: readonly string[] = ['disable', 'require', 'verify-ca', 'verify-full'] satisfies readonly SslMode[];
/** Of other clients, for what is meant by one of ours. */
const SSL_ALIASES: Readonly<Record<string, SslMode>> = { 'no-verify': 'require' };

/** Forms of other clients, and how the same is written here. */
const OTHER_FORMS: readonly (readonly [RegExp, string])[] = [
  [/^postgres(?:ql)?\+/, `names a driver: remove the part from "+" to ":", as in ${EXAMPLE}`],
  [/^jdbc:/, `is a JDBC URL: write ${EXAMPLE}, with the user in front of the host`],
  [
    /^(?:mysql|mariadb|sqlserver|mongodb|oracle|sqlite)/,
    'is the URL of another database: storageType db is PostgreSQL',
  ],
  [/^[a-z_]{1,30}\s{0,9}=/, `is a list of keywords: write it as a URL, ${EXAMPLE}`],
];

/** What proxies of providers read in the parameter `options`; anything else would change what the connection does. */
const ROUTING = /^(?:--cluster=|(?:project|endpoint)=)[\w.-]{1,100}$/;

/** Parameters that would change what the connection does, and where that is said instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  schema: 'give the role a search_path (ALTER ROLE … SET search_path) and leave it out',
  options: 'give the role its settings (ALTER ROLE … SET) and leave it out',
  sslrootcert: 'set db.tls.ca (HIGHLANDER_DB_TLS_CA) and leave it out',
  sslcert: 'set db.tls.cert (HIGHLANDER_DB_TLS_CERT) and leave it out',
  sslkey: 'set db.tls.key (HIGHLANDER_DB_TLS_KEY) and leave it out',
  hostaddr: 'write the address as the host, and set db.tls.serverName',
  service: 'specify the settings of the service file here',
  passfile: 'set db.passwordFile (HIGHLANDER_DB_PASSWORD_FILE) and leave it out',
};

/** The parts of a URL, or the sentence that says what is wrong with it; neither the URL nor a password is in it. */
export function parsePostgresUrl(text: string): PostgresAddress | string {
  const [scheme = '', authority = '', rest = ''] = splitUrl(text);
  if (!/^postgres(ql)?:$/.test(scheme)) return otherForm(text);
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (/,|%2C/i.test(host)) return `${RULE} with one host: the primary's, or that of a proxy that follows it`;
  // A URL of the standard has a host; that of a Unix socket has none.
  const url = URL.parse(host === '' ? `${scheme}//${authority}localhost${rest}` : text);
  const isWrong = !url || url.hash !== '' || (url.hostname.includes('%') && socketOf(url) === undefined);
  return isWrong ? RULE : addressOf(url, host !== '');
}

function otherForm(text: string): string {
  return OTHER_FORMS.find(([form]) => form.test(text))?.[1] ?? RULE;
}

function addressOf(url: URL, hasHost: boolean): PostgresAddress | string {
  const { host = socketOf(url), user, password, dbname, port, ...given } = Object.fromEntries(url.searchParams);
  const { options, parameters } = withoutDefaults(given);
  const problem = wrongParameter(parameters) ?? wrongHost(host, hasHost);
  if (problem !== undefined) return problem;
  const account = accountOf(url, { user, password, dbname });
  if (typeof account === 'string') return account;
  const sslMode = sslModeOf(parameters);
  return {
    host: host ?? url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || port || 5432),
    ...account,
    ...(sslMode === undefined ? {} : { sslMode }),
    ...(options === undefined ? {} : { options }),
    ignored: Object.keys(parameters).filter((name) => name !== 'sslmode' && name !== 'ssl'),
  };
}

/** Without what says no more than is so anyway: the authorities of the system are those that Node trusts. */
function withoutDefaults({ options, sslrootcert, ...rest }: Readonly<Record<string, string>>) {
  const isRouting = options !== undefined && ROUTING.test(options);
  const parameters: Readonly<Record<string, string>> = {
    ...rest,
    ...(options === undefined || isRouting ? {} : { options }),
    ...(sslrootcert === undefined || sslrootcert === 'system' ? {} : { sslrootcert }),
    // As in libpq, where the authorities of the system are not enough for less than the name as well.
    ...(sslrootcert === 'system' ? { sslmode: 'verify-full' } : {}),
  };
  return { parameters, ...(isRouting ? { options } : {}) };
}

/** A folder in the place of the host, its slashes written as %2F. */
function socketOf({ hostname }: URL): string | undefined {
  return /^%2F(?:[\w.-]|%2F|%3A){0,300}$/i.test(hostname) ? decodeURIComponent(hostname) : undefined;
}

/** Scheme with colon, what stands between `//` and the path, and the rest. */
function splitUrl(text: string): readonly string[] {
  const begins = text.indexOf('//');
  if (begins < 0) return [];
  const after = text.slice(begins + 2);
  const ends = after.search(/[/?#]/);
  const length = ends < 0 ? after.length : ends;
  return [text.slice(0, begins), after.slice(0, length), after.slice(length)];
}

type Account = Pick<PostgresAddress, 'user' | 'password' | 'database'>;

function accountOf(
  url: URL,
  given: Readonly<Record<'user' | 'password' | 'dbname', string | undefined>>,
): Account | string {
  try {
    const user = given.user ?? decodeURIComponent(url.username);
    const password = given.password ?? decodeURIComponent(url.password);
    if (user === '') return `must name the user: ${EXAMPLE}, or postgres://user@/database?host=/var/run/postgresql`;
    const database = given.dbname ?? (decodeURIComponent(url.pathname.slice(1)) || user);
    return { user, database, ...(password === '' ? {} : { password }) };
  } catch {
    return `${RULE}: a "%" in it is not followed by two hexadecimal digits, write %25`;
  }
}

function sslModeOf({ sslmode, ssl }: Readonly<Record<string, string | undefined>>): SslMode | undefined {
  if (sslmode !== undefined) return SSL_ALIASES[sslmode] ?? (sslmode as SslMode);
  return ssl === 'true' || ssl === '1' ? 'require' : undefined;
}

function wrongParameter({ sslmode, ...others }: Readonly<Record<string, string>>): string | undefined {
  for (const name of Object.keys(others)) {
    const fix = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : undefined;
    if (fix !== undefined) return `has the parameter "${name}", which is not supported: ${fix}`;
  }
  if (sslmode === undefined || SSL_MODES.includes(sslmode) || Object.hasOwn(SSL_ALIASES, sslmode)) return undefined;
  const mayFallBack = sslmode === 'prefer' || sslmode === 'allow';
  const flaw = mayFallBack ? 'may fall back to an unencrypted connection' : 'is not known';
  return `has an sslmode that ${flaw}: use one of ${SSL_MODES.join(', ')}`;
}

function wrongHost(host: string | undefined, hasHost: boolean): string | undefined {
  if (host === undefined)
    return hasHost ? undefined : `${RULE}, with a host, or with ?host= and the folder of a Unix socket`;
  if (host.startsWith('/') || !hasHost) return undefined;
  return 'has a parameter "host" that is not the folder of a Unix socket';
}
