import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { newRedactor } from '../lib/redactor.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { LoggerOptions } from './logger.ts';
import { createLogger } from './logger.ts';

function newLog(options: Partial<LoggerOptions> = {}) {
  const output = new PassThrough();
  const clock = new FakeClock({ monotonic: 0, wall: 0 });
  const logger = createLogger({ level: 'info', format: 'json', output, clock, ...options });
  const lines = () =>
    String(output.read() ?? '')
      .split('\n')
      .filter((line) => line !== '');
  return { logger, clock, lines };
}

const AT = '1970-01-01T00:00:00.000Z';

describe('the log', () => {
  it('writes JSON with timestamp, level and message first, then fields in the order given', () => {
    const { logger, lines } = newLog();
    logger.child({ controller: 'process', term: 1 }).info('Created a pod', { name: 'a', term: 2 });
    expect(lines()).toEqual([
      `{"timestamp":"${AT}","level":"info","message":"Created a pod","controller":"process","term":2,"name":"a"}`,
    ]);
  });

  it('writes text on one line for people', () => {
    const { logger, lines } = newLog({ format: 'text' });
    logger.warn('Lost\n the lease', { name: 'a', because: 'two words', count: 3, list: ['x'], line: 'a\nb' });
    expect(lines()).toEqual([`${AT} WARN  Lost the lease name=a because="two words" count=3 list=["x"] line="a\\nb"`]);
  });

  it('keeps to its level, which may be changed while it runs', () => {
    const { logger, lines } = newLog();
    logger.debug('a');
    logger.setLevel('debug');
    logger.debug('b');
    logger.setLevel('error');
    logger.warn('c');
    expect(lines().map((line) => JSON.parse(line).message)).toEqual(['b']);
  });

  it('writes errors with their causes, and stacks at debug only', () => {
    const error = Object.assign(new TypeError('outer', { cause: new Error('inner') }), { code: 'E1' });
    const quiet = newLog();
    quiet.logger.error('Failed', { error });
    expect(JSON.parse(quiet.lines()[0] ?? '').error).toEqual({
      name: 'TypeError',
      message: 'outer',
      code: 'E1',
      cause: { message: 'inner' },
    });
    const verbose = newLog({ level: 'debug' });
    verbose.logger.error('Failed', { error });
    expect(JSON.parse(verbose.lines()[0] ?? '').error.stack).toContain('logger.test.ts');
  });

  it('redacts by name at any depth, and passwords inside text', () => {
    const { logger, lines } = newLog();
    logger.info('Asked', {
      redisPassword: 'geheim',
      headers: [{ Authorization: 'Bearer geheim', accept: 'json' }],
      url: 'redis://me:geheim@redis:6379',
      error: new Error('no route to postgres://a:geheim@b, password=geheim; Bearer geheim12345'),
    });
    const [line = ''] = lines();
    expect(line).not.toContain('geheim');
    expect(line).toContain('"accept":"json"');
    expect(line).toContain('redis://me:***@redis:6379');
  });

  it('masks what was configured, wherever it stands', () => {
    const { logger, lines } = newLog({ redact: newRedactor(['hunter2!']) });
    logger.info('Asked', { args: ['-p', 'hunter2!'], body: JSON.stringify({ a: 'hunter2!' }), 'by-hunter2!': 1 });
    logger.error('Failed', { error: new Error('no such user: hunter2%21', { cause: new Error('hunter2!') }) });
    expect(lines().join()).not.toContain('hunter2');
  });

  it('keeps its lines short, whatever it is given', () => {
    const { logger, lines } = newLog();
    const text = '//a:'.repeat(25_000);
    logger.info('Long', { text, many: Array.from({ length: 100 }, () => ({ text })), map: { [text]: text } });
    expect(lines().join().length).toBeLessThan(50_000);
  });

  it('writes a warning that comes every second ever more rarely', async () => {
    const { logger, lines, clock } = newLog();
    for (let second = 0; second < 3600; second++) {
      logger.warn('Waiting', { for: 'a' });
      await clock.advance(1000);
    }
    const counts = lines().map((line) => JSON.parse(line).repeated ?? 1);
    expect(counts.length).toBeLessThan(20);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(3000);
  });

  it('survives what JSON cannot hold, and fields that pose as its own', () => {
    const { logger, lines } = newLog();
    const circular: Record<string, unknown> = {
      big: 1n,
      bytes: new Uint8Array(3),
      map: new Map([['a', 1]]),
      run: () => 1,
    };
    circular['self'] = circular;
    logger.info('Odd', { level: 'fatal', circular, when: new Date(NaN) });
    expect(JSON.parse(lines()[0] ?? '')).toMatchObject({
      level: 'info',
      level_: 'fatal',
      circular: { big: '1', bytes: '[3 bytes]', map: { a: 1 }, run: '[function]' },
    });
  });

  it('writes an error that repeats once, then how often it came', async () => {
    const { logger, lines, clock } = newLog({ repeatWindowMs: 1000 });
    for (let n = 0; n < 5; n++) logger.error('Failed', { name: 'a' });
    logger.error('Failed', { name: 'b' });
    expect(lines()).toHaveLength(2);
    await clock.advance(1000);
    expect(lines().map((line) => JSON.parse(line))).toMatchObject([{ name: 'a', repeated: 4 }]);
    await clock.advance(2000);
    logger.error('Failed', { name: 'a' });
    expect(lines()).toHaveLength(1);
  });

  it('hands over everything before it is closed, a slow reader and pending counts included', async () => {
    const written: string[] = [];
    const output = new Writable({
      highWaterMark: 16,
      write(chunk, _, done) {
        written.push(String(chunk));
        setTimeout(done, 1);
      },
    });
    const logger = createLogger({ level: 'info', format: 'json', output });
    for (let n = 0; n < 50; n++) logger.info('Line', { n });
    logger.error('Failed');
    logger.error('Failed');
    await logger.close();
    expect(written.join('').split('\n')).toHaveLength(53);
    expect(written.join('')).toContain('"repeated":1');
  });
});
