/** What must hold in a history. Pure. Times are those of the machine's one monotonic clock. */
import type { Event } from './history.ts';

export interface Violation {
  readonly property: 'terms grow' | 'one holder' | 'later term stays' | 'progress' | 'hand-over' | 'no defect';
  readonly detail: string;
  readonly at: number;
}

type Of<K extends Event['kind']> = Event & { readonly kind: K };
const of = <K extends Event['kind']>(events: readonly Event[], kind: K): readonly Of<K>[] =>
  events.filter((event): event is Of<K> => event.kind === kind);

export function violations(events: readonly Event[]): readonly Violation[] {
  return [...termsGrow(events), ...oneHolder(events), ...laterTermStays(events)];
}

/**
 * In the order in which the acquisitions were sent, which is that of the store for those that succeeded: whoever takes
 * the lease has read what the one before had written.
 */
function* termsGrow(events: readonly Event[]): Generator<Violation> {
  let last: Of<'acquired'> | undefined;
  for (const each of of(events, 'acquired').toSorted((a, b) => a.sentAt - b.sentAt)) {
    if (last && each.term <= last.term)
      yield violation('terms grow', each.at, `${each.by} takes term ${each.term} after ${last.by} took ${last.term}`);
    last = last && last.term > each.term ? last : each;
  }
  const holders = new Map<number, string>();
  for (const { kind, at, by, ...rest } of events) {
    if (kind !== 'acquired' && kind !== 'elected' && kind !== 'acted') continue;
    const { term } = rest as { readonly term: number };
    const holder = holders.get(term);
    if (holder === undefined) holders.set(term, by);
    else if (holder !== by) yield violation('terms grow', at, `term ${term} is used by ${holder} and by ${by}`);
  }
}

/**
 * The times in which a term was acted in, each from before the check of the deadline to after the dispatch, lie before
 * all those of later terms. Only a process that was stopped between the two may end late, which nothing inside it can
 * prevent; that its check passed before the later term began is asked of it all the same.
 */
function* oneHolder(events: readonly Event[]): Generator<Violation> {
  const stops = of(events, 'frozen').map(({ by, at }) => ({ by, from: at, to: thawedAt(events, by, at) }));
  const wasStopped = ({ by, from, at }: Of<'acted'>) =>
    stops.some((stop) => stop.by === by && stop.from <= at && stop.to >= from);
  let highest: Of<'acted'> | undefined;
  let latest: Of<'acted'> | undefined;
  for (const each of of(events, 'acted').toSorted((a, b) => a.from - b.from)) {
    if (highest && each.term < highest.term)
      yield violation(
        'one holder',
        each.at,
        `${each.by} acts in term ${each.term} after ${highest.by} in ${highest.term}`,
      );
    else if (latest && each.term > latest.term && each.from < latest.at)
      yield violation(
        'one holder',
        each.at,
        `${each.by} acts in term ${each.term} while ${latest.by} acts in ${latest.term}`,
      );
    if (!highest || each.term > highest.term) highest = each;
    if (!wasStopped(each) && (!latest || each.at > latest.at)) latest = each;
  }
}

function thawedAt(events: readonly Event[], by: string, frozenAt: number): number {
  return Math.min(...of(events, 'thawed').flatMap((each) => (each.by === by && each.at > frozenAt ? [each.at] : [])));
}

/** In the order of the versions that the stand-in gave. */
function* laterTermStays(events: readonly Event[]): Generator<Violation> {
  const terms = new Map<string, Of<'accepted'>>();
  for (const each of of(events, 'accepted')) {
    const before = terms.get(each.object);
    if (before && each.term < before.term)
      yield violation(
        'later term stays',
        each.at,
        `${each.by} writes ${each.object} in term ${each.term} over ${before.by}'s ${before.term}`,
      );
    terms.set(each.object, each);
  }
}

function violation(property: Violation['property'], at: number, detail: string): Violation {
  return { property, at, detail };
}
