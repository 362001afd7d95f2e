import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../lib/logger.ts';
import type { HandOverAnswer, LeadershipDesk } from './leadership.ts';
import type { Listening } from './listen.ts';
import { listen } from './listen.ts';
import { createHttpApp } from './server.ts';

const TOKEN = 'a token of some length';
const WISH = { expectedLeader: 'east-1', expectedTerm: 7 };
const open: Listening[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close(0)));
});

interface Given {
  readonly answer?: HandOverAnswer;
  readonly token?: string;
  readonly desk?: LeadershipDesk;
}

async function ask(
  body: unknown,
  { authorization = `Bearer ${TOKEN}`, ...given }: Given & { authorization?: string } = {},
) {
  const asked: unknown[] = [];
  const accepted: HandOverAnswer = { outcome: 'accepted', from: 'east-1', to: 'west-1', toCluster: 'west', term: 7 };
  const desk: LeadershipDesk = {
    token: () => ('token' in given ? given.token : TOKEN),
    async handOver(request) {
      asked.push(request);
      return given.answer ?? accepted;
    },
  };
  const server = await listen(
    createHttpApp({
      health: { live: [], ready: [] },
      metrics: { contentType: 'text/plain', text: async () => '' },
      leadership: () => ('desk' in given ? given.desk : desk),
      logger: silentLogger,
    }),
    0,
  );
  open.push(server);
  const response = await fetch(`http://127.0.0.1:${server.port}/api/v1/leadership/handover`, {
    method: 'POST',
    headers: { authorization },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown>, asked, response };
}

describe('a hand-over that is asked for over HTTP', () => {
  it.each(['bearer', 'BEARER'])('is accepted with the scheme %s', async (scheme) => {
    expect((await ask(WISH, { authorization: `${scheme} ${TOKEN}` })).status).toBe(202);
  });

  it('is accepted, and says from whom to whom', async () => {
    const { status, body, asked } = await ask({ ...WISH, candidateCluster: 'west' });
    expect([status, body]).toEqual([202, { from: 'east-1', to: 'west-1', toCluster: 'west', term: 7 }]);
    expect(asked).toEqual([{ ...WISH, candidateCluster: 'west' }]);
  });

  it.each([
    ['outdated', 412, 'leader_changed'],
    ['nobody', 409, 'no_candidate'],
    ['unreachable', 503, 'store_unreachable'],
  ] as const)('%s is %i', async (outcome, status, code) => {
    const said = await ask(WISH, { answer: { outcome, why: 'east-2 is the leader in term 8' } });
    expect(said.status).toBe(status);
    expect(said.body).toMatchObject({ status, code, detail: 'east-2 is the leader in term 8' });
  });

  it.each([
    ['no JSON', '{', undefined],
    [
      'nothing',
      '',
      'expectedLeader must be the identity of the leader, as text; expectedTerm must be the number of its term',
    ],
    ['a list', [], 'the body must be an object with expectedLeader and expectedTerm'],
    ['a term that is text', { ...WISH, expectedTerm: '7' }, 'expectedTerm must be the number of its term'],
    ['an unknown field', { ...WISH, candidte: 'x' }, 'candidte: unknown field'],
  ])('with %s is wrong', async (_, body, detail) => {
    const { status, body: problem, asked } = await ask(body);
    expect(status).toBe(400);
    expect(problem).toMatchObject({ code: 'bad_request', ...(detail !== undefined && { detail }) });
    expect(asked).toEqual([]);
  });

  it('needs the token', async () => {
    const { status, body, asked, response } = await ask(WISH, { authorization: 'Bearer another token' });
    expect([status, body['code'], asked]).toEqual([401, 'unauthorized', []]);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="highlander"');
  });

  it('is not possible without a token in the configuration, and says how it is', async () => {
    const said = await ask(WISH, { token: undefined as never });
    expect([said.status, said.body['code']]).toEqual([403, 'api_disabled']);
    expect(said.body['detail']).toContain('HIGHLANDER_API_TOKEN_FILE');
  });

  it('has to wait until the controller has started', async () => {
    const said = await ask(WISH, { desk: undefined as never });
    expect([said.status, said.body['code']]).toEqual([503, 'starting']);
  });
});
