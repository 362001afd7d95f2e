import { expect, it } from 'vitest';
import { UnseenTenants } from './unseen-tenants.ts';

it('tries it on one workload first, and goes on when nobody has written over it for 10 s', () => {
  const unseen = new UnseenTenants();
  expect(unseen.maySay('far', 'a', 0)).toBe('now');
  expect(unseen.maySay('far', 'b', 9999)).toBe('later');
  expect(unseen.maySay('far', 'a', 9999)).toBe('now');
  expect(unseen.maySay('far', 'b', 10_000)).toBe('now');
});

it('says nothing of a tenant that acts, until it can be seen', () => {
  const unseen = new UnseenTenants();
  unseen.acts('far');
  expect(unseen.maySay('far', 'a', 0)).toBe('never');
  expect(unseen.maySay('other', 'a', 0)).toBe('now');
  unseen.forget('far');
  expect(unseen.maySay('far', 'a', 1)).toBe('now');
});

it('is bounded, whatever names people write', () => {
  const unseen = new UnseenTenants();
  for (let name = 0; name < 5000; name++) {
    unseen.maySay(`t${name}`, 'a', 0);
    unseen.acts(`u${name}`);
  }
  expect(unseen.maySay('t4999', 'b', 1)).toBe('later');
  expect(unseen.maySay('u0', 'a', 1)).toBe('now');
});
