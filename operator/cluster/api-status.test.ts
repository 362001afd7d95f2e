import { expect, it } from 'vitest';
import { errorOfEvent, errorOfReply } from './api-status.ts';

const status = (message: unknown, reason: unknown = 'Forbidden') => ({ kind: 'Status', message, reason });

it('a message of an admission webhook is cut', () => {
  const long = '//a:'.repeat(25_000);
  const error = errorOfReply('POST /a', 403, {}, JSON.stringify(status(long, long)));
  expect(error.message.length).toBeLessThan(2100);
  expect(error.reason.length).toBeLessThan(200);
  expect(errorOfEvent('WATCH /a', status(long)).message.length).toBeLessThan(2100);
});

it('a Status with fields of other types is still an error', () => {
  const error = errorOfReply('POST /a', 500, {}, JSON.stringify(status({ a: 1 }, [1])));
  expect(error).toMatchObject({ code: 500, reason: '' });
});
