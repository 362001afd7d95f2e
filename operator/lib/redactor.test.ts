import { describe, expect, it } from 'vitest';
import { MASK, maskCredentials } from './credentials.ts';
import { cutText, newRedactor } from './redactor.ts';

describe('credentials in a text', () => {
  it.each([
    ['redis://me:geheim@redis:6379', 'redis://me:***@redis:6379'],
    ['redis://:p@geheim#word/x@redis:6379 refused', 'redis://:***@redis:6379 refused'],
    ['"user:geheim@redis"', '"user:***@redis"'],
    ['no route to postgres://a:geheim@b, password=geheim; gone', 'no route to postgres://a:***@b, password=***; gone'],
    ['{"password":"geheim \\" geheim","a":1}', '{"password":"***","a":1}'],
    ['said \\"token\\": \\"geheim\\" twice', 'said \\"token\\": \\"***\\" twice'],
    ["password = 'geheim geheim' host=x", "password = '***' host=x"],
    ['run --db-password geheim --verbose', 'run --db-password *** --verbose'],
    ['Authorization: Basic geheim== accept', 'Authorization: *** accept'],
    ['header Bearer geheimgeheim was refused', 'header Bearer *** was refused'],
    ['AWS_SECRET_ACCESS_KEY=geheim', 'AWS_SECRET_ACCESS_KEY=***'],
    ['a eyJhbGciOi.eyJzdWIi.c2ln b', 'a *** b'],
    ['-----BEGIN RSA PRIVATE KEY-----\ngeheim\n-----END RSA PRIVATE KEY-----\nthen', '***\nthen'],
    ['-----BEGIN PRIVATE KEY-----\\ngeheim', '***'],
  ])('%s', (text, masked) => {
    expect(maskCredentials(text)).toBe(masked);
  });

  it.each([
    'password authentication failed for user "app"',
    'invalid token: expired',
    'secrets "a" is forbidden',
    'nginx:1.27@sha256:abc is not there',
    'passwordFile: /run/secrets/password',
    'https://api:6443/healthz refused',
  ])('%s: nothing is masked', (text) => {
    expect(maskCredentials(text)).toBe(text);
  });
});

describe('configured secrets', () => {
  const secret = 'pä"ss/w%rd';
  const redact = newRedactor([secret, 'abc']);

  it('are masked in every form', () => {
    const forms = [
      secret,
      encodeURIComponent(secret),
      JSON.stringify({ args: [secret] }),
      JSON.stringify(JSON.stringify({ args: [secret] })),
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('base64url'),
    ];
    for (const form of forms) {
      const masked = redact(`x ${form} y`);
      expect(masked).toContain(MASK);
      for (const each of ['ss/w', encodeURIComponent('ss/w'), Buffer.from(secret).toString('base64url')]) {
        expect(masked).not.toContain(each);
      }
    }
  });

  it('no part of one is left where a long text is cut', () => {
    for (const before of [65_536 - 5, 65_536 - secret.length, 65_536 - 1]) {
      const masked = redact('x'.repeat(before) + secret.repeat(3));
      expect(masked).not.toContain('p\u00e4');
    }
  });

  it('no part of one is left where somebody else has cut the text', () => {
    const redactOne = newRedactor(['s3cr3t-of-the-store']);
    for (let most = 20; most < 50; most++) {
      const cut = cutText('the answer was: s3cr3t-of-the-store, and more than that', most);
      expect(redactOne(cut)).not.toContain('s3cr3');
    }
    expect(redactOne('the answer was: s3cr')).toBe('the answer was: s3cr');
  });

  it('a short one does not tear ordinary words', () => {
    expect(redact('abcdef')).toBe('abcdef');
  });
});

describe('long and repeating texts', () => {
  const pieces = [
    '//',
    ':',
    '@',
    '//a:',
    'a:b@',
    'password',
    'password=',
    '"token":"',
    '\\',
    '\\"',
    ' ',
    '\n',
    'eyJ',
    'eyJa.',
    'bearer ',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----',
    '--',
    '--a-token ',
    "'",
    '\u{1F600}',
  ];
  const redact = newRedactor(['hunter22', 'aaaaaaaa']);

  /** Milliseconds of this thread's own time. */
  const msOf = (text: string) => {
    const { user } = process.threadCpuUsage();
    redact(text);
    return (process.threadCpuUsage().user - user) / 1000;
  };
  /** The quickest of three. */
  const leastMsOf = (text: string) => Math.min(msOf(text), msOf(text), msOf(text));

  it('eight times the text takes about eight times as long', () => {
    for (const first of pieces) {
      for (const second of pieces) {
        const of = (length: number) => (first + second).repeat(length / (first.length + second.length));
        // A quadratic step takes a second for this length.
        if (msOf(of(32_000)) < 40) continue;
        expect(leastMsOf(of(32_000)) / leastMsOf(of(4000)), `${first}${second} repeated`).toBeLessThan(24);
      }
    }
  });

  it('what is longer is cut', () => {
    expect(redact('x'.repeat(1_000_000)).length).toBeLessThan(70_000);
    expect(cutText('x'.repeat(10), 4)).toBe('xxx…');
    expect(cutText('xx\u{1F600}xx', 4)).toBe('xx…');
  });
});
