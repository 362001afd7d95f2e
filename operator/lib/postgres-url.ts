/**
 * Where a PostgreSQL database is, as people write it. Only what is written counts: no variables of the environment, no
 * files in the home directory.
 */

/** As in libpq, without the modes that may fall back to a connection in the clear. */
export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

export interface PostgresAddress {
  /** Name or address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password?: string;
  readonly sslMode?: SslMode;
}

const EXAMPLE = 'postgres://user:password@host:5432/database';
const RULE = `must be a URL such as ${EXAMPLE} (special characters of the password as %xx)`;
const SSL_MODES: readonly string[] = ['disable', 'require', 'verify-ca', 'verify-full'] satisfies readonly SslMode[];

/** The parts of a URL, or the sentence that says what is wrong with it; neither the URL nor a password is in it. */
export function parsePostgresUrl(text: string): PostgresAddress | string {
  const url = URL.parse(text);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || !url.hostname || url.hash !== '') return RULE;
  if (/,|%2C/i.test(url.host)) return `${RULE} with one host`;
  const account = accountOf(url);
  if (!account) return RULE;
  if (account.user === '') return `must name the user: ${EXAMPLE}`;
  const place = placeOf(url);
  return typeof place === 'string' ? place : { ...place, ...account };
}

/** Absent: something is not encoded as it must be. */
function accountOf(url: URL): Pick<PostgresAddress, 'user' | 'password' | 'database'> | undefined {
  try {
    const [user, password, path] = [decodeURIComponent(url.username), decodeURIComponent(url.password), url.pathname];
    const database = decodeURIComponent(path.slice(1)) || user;
    return { user, database, ...(password === '' ? {} : { password }) };
  } catch {
    return undefined;
  }
}

/** Host, port and mode; the parameters decide on two of them. */
function placeOf(url: URL): Pick<PostgresAddress, 'host' | 'port' | 'sslMode'> | string {
  const { host: socket, ...parameters } = Object.fromEntries(url.searchParams);
  const problem = unknownParameter(parameters) ?? wrongSocket(socket);
  if (problem !== undefined) return problem;
  const { sslmode = '' } = parameters;
  const host = socket ?? url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(url.port || 5432), ...(isSslMode(sslmode) ? { sslMode: sslmode } : {}) };
}

function unknownParameter({ sslmode, ...others }: Readonly<Record<string, string>>): string | undefined {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `has the parameter "${unknown}"; only sslmode and host (of a Unix socket) are read`;
  if (sslmode === undefined || isSslMode(sslmode)) return undefined;
  return `has an sslmode that is none of ${SSL_MODES.join(', ')}`;
}

function wrongSocket(socket: string | undefined): string | undefined {
  if (socket === undefined || socket.startsWith('/')) return undefined;
  return 'has a parameter "host" that is no folder of a Unix socket';
}

function isSslMode(text: string): text is SslMode {
  return SSL_MODES.includes(text);
}
