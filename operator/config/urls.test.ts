/** The connection strings that providers print: each works, or is refused with the way out before anything is started. */
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../lease/redis-options.ts';
import { parsePostgresUrl } from '../lib/postgres-url.ts';
import { problemsOf, resolve } from './testing/resolving.ts';

const redis = (addr: string) => ({ env: { HIGHLANDER_REDIS_ADDR: addr } });
const database = (url: string) => ({ env: { HIGHLANDER_DATABASE_URL: url } });

describe('Redis', () => {
  it.each([
    ['rediss://:p%2540w@127.0.0.1:6379', { password: 'p%40w', tls: true }],
    ['redis://:a+b=c&d@127.0.0.1:6379', { password: 'a+b=c&d' }],
    ['redis://default:secret@127.0.0.1:6379/0?ssl_cert_reqs=none', { username: 'default', password: 'secret', db: 0 }],
    ['redis://:p@ss@127.0.0.1', { password: 'p@ss', host: '127.0.0.1', port: 6379 }],
    ['redis://[::1]:7000/3', { host: '::1', port: 7000, db: 3 }],
    ['unix:///run/redis/redis.sock', { host: '/run/redis/redis.sock' }],
    ['/run/redis/redis.sock', { host: '/run/redis/redis.sock' }],
    [' redis://h:6380\n', { host: 'h', port: 6380 }],
  ])('%s works', (addr, parts) => {
    const given = resolve(redis(addr)).redis?.addr ?? '';
    expect(given).toBe(addr.trim());
    expect(parseAddress(given)).toMatchObject(parts);
  });

  it.each([
    ['redis://:pa%ss@127.0.0.1:6379', /redis\.addr: .*%25 for "%"/],
    ['redis://u:pa%zz@h', /redis\.addr: .*%25 for "%"/],
    ['redis://:p@ss#word@127.0.0.1:6379', /redis\.addr: .*%23 for "#"/],
    ['redis://:p/ss@127.0.0.1:6379', /redis\.addr: .*%2F for "\/"/],
    ['redis://127.0.0.1/0?db=2', /redis\.addr: .*redis\.db/],
    ['redis://127.0.0.1?password=pass', /redis\.addr: .*redis\.passwordFile/],
    ['valkeys://h:6379', /redis\.addr: .*rediss:\/\/ for valkeys/],
    ['redis+sentinel://:sentinel=pass@s1:26379,s2:26379/mymaster/0', /redis\.addr: .*redis\.sentinel\.masterName/],
    ['s.example.test:6380,password=pass=,ssl=True,abortConnect=False', /redis\.addr: .*rediss:\/\/host:port/],
    ['redis://h1:6379,h2:6379,h3:6379', /redis\.addr: .*redis\.cluster\.addrs/],
    ['h1:6379,h2:6379', /redis\.addr: .*redis\.cluster\.addrs/],
    ['redis+unix:///run/redis.sock', /redis\.addr: .*write unix:\/\/\/run/],
    ['unix:/run/redis.sock', /redis\.addr: .*write unix:\/\/\/run/],
    ['unix:///run/redis.sock?db=2', /redis\.addr: .*redis\.db/],
    ['redis://%zz', /redis\.addr: .*must be host:port/],
  ])('%s is refused', (addr, why) => {
    const [problem = ''] = problemsOf(redis(addr));
    expect(problem).toMatch(why);
    expect(problem).not.toMatch(/pa%|ss#|p\/ss|=pass/);
  });

  it('a parameter that does no harm is named in a notice', () => {
    const { notices } = resolve(redis('rediss://h?ssl_cert_reqs=none'));
    expect(notices.join()).toContain('ssl_cert_reqs is not used: with rediss:// the certificate is always verified');
  });

  it('a map of addresses, in the file and in a variable', () => {
    const want = { '10.0.0.1:6379': 'redis.example.com:7001', '[fd00::1]:6379': '127.0.0.1:7002' };
    expect(resolve({ ...redis('h'), yaml: JSON.stringify({ redis: { natMap: want } }) }).redis?.natMap).toEqual(want);
    const text = Object.entries(want)
      .map((pair) => pair.join('='))
      .join(',');
    expect(resolve({ env: { HIGHLANDER_REDIS_ADDR: 'h', HIGHLANDER_REDIS_NAT_MAP: text } }).redis?.natMap).toEqual(
      want,
    );
    const [problem] = problemsOf({ env: { HIGHLANDER_REDIS_ADDR: 'h', HIGHLANDER_REDIS_NAT_MAP: '10.0.0.1:6379' } });
    expect(problem).toContain('redis.natMap');
  });
});

describe('PostgreSQL', () => {
  it.each([
    ['postgresql://app:pw@db.example.test/app?sslmode=require&channel_binding=require', { sslMode: 'require' }],
    ['postgres://app:pw@127.0.0.1:1/app?sslmode=no-verify', { sslMode: 'require' }],
    ['postgres://app:pw@127.0.0.1:1/app?ssl=true', { sslMode: 'require' }],
    ['postgres://app:pw@127.0.0.1:1/app?connect_timeout=10', { host: '127.0.0.1', port: 1 }],
    ['postgres://app:pw@[fd00::1]/app?pgbouncer=true', { host: 'fd00::1', port: 5432 }],
    ['postgres://app@/app?host=/var/run/postgresql', { host: '/var/run/postgresql', user: 'app', database: 'app' }],
    ['postgres:///app?host=/var/run/postgresql&user=me', { host: '/var/run/postgresql', user: 'me' }],
    ['postgres://app@srv:pw@127.0.0.1:1/app', { user: 'app@srv', password: 'pw', host: '127.0.0.1' }],
    ['postgres://app:pw@%2Fvar%2Frun%2Fpostgresql/app', { host: '/var/run/postgresql', user: 'app' }],
    ['postgres://app:pw@h:26257/app?options=--cluster%3Dx-123', { host: 'h', options: '--cluster=x-123' }],
    ['postgres://app:pw@h/app?sslmode=require&options=project%3Dep-x', { options: 'project=ep-x' }],
    ['postgres://app:pw@h/app?sslmode=verify-full&sslrootcert=system', { sslMode: 'verify-full', ignored: [] }],
    ['postgres://app:pw@h/app?sslrootcert=system', { sslMode: 'verify-full' }],
    [' postgres://app:pw@h/app\n', { host: 'h', database: 'app' }],
  ])('%s works', (url, parts) => {
    const given = resolve(database(url)).db?.url ?? '';
    expect(given).toBe(url.trim());
    expect(parsePostgresUrl(given)).toMatchObject(parts);
  });

  it.each([
    ['postgres://app:pw@127.0.0.1:1/app?sslmode=prefer', 'may fall back to an unencrypted connection: use one of'],
    ['postgres://app:pw@h1:5432,h2:5432/app?target_session_attrs=read-write', 'with one host: the primary'],
    ['postgres://app:pw@127.0.0.1:1/app?pgbouncer=true&schema=ha', 'search_path'],
    ['postgres://app:pw@127.0.0.1:1/app?options=-c%20a%3Db', 'ALTER ROLE'],
    ['postgres:///app?host=/var/run/postgresql', 'must name the user'],
    ['postgres://app:p%w@127.0.0.1:1/app', 'write %25'],
    ['postgres://app:pw@h/app?options=--cluster%3Dx%20-c%20a%3Db', 'ALTER ROLE'],
    ['postgres://app:pw@%2F%zz/app', 'must be a URL such as'],
    ['postgresql+psycopg2://app:p%w@h/app', 'remove the part from "+"'],
    ['jdbc:postgresql://h/app?user=app&password=p%w', 'JDBC'],
    ['host=h user=app password=p%w', 'list of keywords'],
    ['mysql://app:p%w@h/app', 'another database'],
  ])('%s is refused', (url, why) => {
    const [problem = ''] = problemsOf(database(url));
    expect(problem).toMatch(/^databaseURL/);
    expect(problem).toContain(why);
    expect(problem).not.toContain('p%w');
  });
});

describe('what others could read', () => {
  it.each([
    [database('postgres://a:b@db/x'), 'the connection to db is not encrypted'],
    [database('postgres://a:b@db/x?sslmode=require'), 'the certificate of db is not verified'],
    [{ flags: { 'redis-addr': 'redis://:hunter2@h' } }, 'use --redis-password-file'],
    [{ flags: { 'redis-addr': 'h', 'redis-password': 'hunter2' } }, 'use --redis-password-file'],
    [{ flags: { 'database-url': 'postgres://a:hunter2@localhost/x' } }, 'use --db-password-file'],
    [{ flags: { 'redis-addr': 'h', 'api-token': 'hunter2hunter2hunter2' } }, 'use --api-token-file'],
  ])('%j gets a notice', (given, notice) => {
    const { notices } = resolve(given);
    expect(notices.join('\n')).toContain(notice);
    expect(notices.join('\n')).not.toContain('hunter2');
  });

  it.each([
    database('postgres://a:b@localhost/x'),
    database('postgres://a:b@127.0.0.1/x'),
    database('postgres://a@/x?host=/run/postgresql'),
    database('postgres://a:b@db/x?sslmode=verify-full'),
    { flags: { 'redis-addr': 'redis://h', 'redis-password-file': '~/password' } },
  ])('%j gets none', (given) => {
    expect(resolve(given).notices).toEqual([]);
  });
});
