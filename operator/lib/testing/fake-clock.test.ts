import { describe, expect, it } from 'vitest';
import { FakeClock } from './fake-clock.ts';

describe('FakeClock', () => {
  it('fires timers in order of time, then of creation, with the clock at their own time', async () => {
    const clock = new FakeClock({ monotonic: 0 });
    const fired: string[] = [];
    clock.after(20, () => fired.push(`b@${clock.monotonic()}`));
    clock.after(10, () => fired.push(`a@${clock.monotonic()}`));
    clock.after(20, () => fired.push(`c@${clock.monotonic()}`));
    await clock.advance(19);
    expect(fired).toEqual(['a@10']);
    await clock.advance(1);
    expect(fired).toEqual(['a@10', 'b@20', 'c@20']);
  });

  it('runs a loop that sleeps again and again within one advance', async () => {
    const clock = new FakeClock();
    let rounds = 0;
    const loop = (async () => {
      for (let n = 0; n < 5; n++) {
        await clock.sleep(10);
        rounds++;
      }
    })();
    await clock.advance(50);
    await loop;
    expect(rounds).toBe(5);
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects a sleep with the reason of its signal and leaves no timer', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const slept = clock.sleep(10, controller.signal);
    controller.abort(new Error('over'));
    await expect(slept).rejects.toThrow('over');
    await expect(clock.sleep(1, controller.signal)).rejects.toThrow('over');
    expect(clock.pendingTimers).toBe(0);
  });

  it('moves the wall clock alone, and fires late after a suspension', async () => {
    const clock = new FakeClock({ monotonic: 0, wall: 0 });
    let at = -1;
    clock.after(10, () => (at = clock.wall()));
    clock.jumpWall(-500);
    clock.suspend({ monotonic: 100, wall: 1100 });
    expect(at).toBe(-1);
    await clock.advance(0);
    expect(at).toBe(600);
  });
});
