/*
 * Lease, guard and hand-over in scope `single`: N controllers, one lease cell, one pod. `hack/model.ts` checks it.
 *
 * Time is a tick that moves all clocks at once; how many ticks a step takes is open. Versions are not counted: whoever knows
 * one has a bit `fresh`, which the next write of the cell (or pod) clears; a compare-and-set succeeds while it is set.
 * A request lies in its slot until the world delivers or drops it, however late and whatever became of the sender: that is
 * also the process frozen between `assertHeld` and its connection. Names in CAPITALS are switches; most remove one rule.
 */
#ifndef N
#define N 2 /* controllers */
#endif
#ifndef FAULTS
#define FAULTS 2 /* crashes and departures; besides, the store is lost once */
#endif
#ifndef MAXT
#define MAXT 4 /* highest term of a run */
#endif
#define TTL 2 /* ticks; of timing.ts's 1 % and margin remains: valid until before, free from the tick on */
#define NOBODY 255

#define none 0
mtype = { acquiring, renewing, releasing, ok, conflict, lost, creating, stamping, stopping, freeing };

typedef Controller {              /* one process: its election, its Term, its reconciler */
  bool held, on, est;             /* election.held; the Term has not ended; #establish is through */
  byte term, left;                /* of the lease held; ticks until validUntil */
  bool fresh, inc;                /* the version last seen is the cell's; the incarnation last seen is the store's */
  byte seen, wait;                /* ticks since that version was first seen; ticks of quarantine left */
  bool newborn;                   /* the cluster did not know the tenant when asked */
  mtype call, reply;              /* call to the store, its reply */
  bool cfresh, cabsent, cinc, patient; /* expected version stands; absence expected; `inc` at the time; not given up */
  byte cterm, cleft;              /* term that it writes; ticks until a lease counted from its sending is over */
  byte grant;                     /* term of the reconcile; 0: none */
  mtype req; byte rterm; bool rfresh /* request to the API server, its term, whether its resourceVersion stands */
}
Controller c[N];
bool absent = 1, current, marker; /* no cell; its record is of the store's incarnation; Lease highlander-permit */
byte holder, term, oldHolder = NOBODY, oldTerm; /* of the record, and of the one before the last acquisition */
byte pod, pstamp, touched, running; /* NO, RUNS, ENDING or GONE; its stamp; highest term that wrote it; containers */
#define NO 0
#define RUNS 1
#define ENDING 2
#define GONE 3
byte top, everTouched;            /* highest term acquired; highest that wrote any pod of the name */
byte faults = FAULTS;
bool intact = 0, calm;            /* the store was not lost yet; LIVE: no more faults, time waits for everybody */

#define HOLDS(i) (c[i].on && c[i].est && c[i].left > 0)            /* elector.term, Term.assertHeld */
#define LIFT(x) ((pod != NO && pstamp > x) -> pstamp : x)

inline end(i) { c[i].held = 0; c[i].on = 0; c[i].est = 0; c[i].term = 0; c[i].left = 0 }
inline cellChanged() { for (k : 0 .. N - 1) { c[k].fresh = 0; c[k].cfresh = 0; c[k].seen = 0 } }
inline podChanged() { for (k : 0 .. N - 1) { c[k].rfresh = 0 } }
inline unsend(i) { c[i].req = none; c[i].rterm = 0; c[i].rfresh = 0 }
inline hangUp(i) { c[i].call = none; c[i].reply = none; c[i].cterm = 0; c[i].cleft = 0; c[i].cfresh = 0; c[i].cabsent = 0; c[i].cinc = 0; c[i].patient = 0 }

inline alone(i) { /* mutual exclusion; with FROZEN clocks a process cannot know, and only the pod is protected */
#ifndef FROZEN
  for (k : 0 .. N - 1) { assert(k == i || !HOLDS(k)) }
#endif
}

inline read(i) { /* election.ts: sawCell, checkHolder, noticeLoss */
  if :: c[i].held && (absent || holder != i || term != c[i].term || !c[i].inc) -> end(i) :: else fi;
  if
  :: !c[i].fresh || !c[i].inc -> c[i].seen = 0;
    if :: absent || !current -> c[i].wait = TTL :: else fi
  :: else
  fi;
#ifdef MARKER_CACHED
  c[i].newborn = c[i].newborn || absent && !marker;
#else
  c[i].newborn = absent && !marker;
#endif
  c[i].fresh = 1; c[i].inc = 1
}

inline send(i, what, number) {
  c[i].call = what; c[i].cterm = number; c[i].cfresh = 1; c[i].cabsent = absent; c[i].cinc = c[i].inc;
  c[i].cleft = TTL; c[i].patient = 1
}

/* election.ts: decideOnAbsence, decideOnRecord, whenFree (the store's age of the record is never below `seen`) */
#ifdef ABSENT_IS_FREE
#define FREE_ABSENT 1
#else
#define FREE_ABSENT (c[i].newborn || c[i].wait == 0)
#endif
#if defined(WAIT_TOO_SHORT)
#define EXPIRED (c[i].seen >= TTL - 1)
#elif defined(NO_EXPIRY)
#define EXPIRED 0
#else
#define EXPIRED (c[i].seen >= TTL)
#endif
#ifdef NO_QUARANTINE
#define FREE ((absent && FREE_ABSENT) || (!absent && (holder == NOBODY || EXPIRED)))
#else
#define FREE ((absent && FREE_ABSENT) || (!absent && (c[i].wait == 0 && (holder == NOBODY || EXPIRED))))
#endif

/* election.ts: nextTerm; `top` stands for the store's time in seconds, which outgrows any count of hand-overs */
#if defined(NO_LIFT)
#define NEXT ((absent -> top : term) + 1)
#elif defined(TIME_AFTER_RESTORE)
#define NEXT ((absent || !current -> top : LIFT(term)) + 1)
#else
#define NEXT ((absent -> top : LIFT(term)) + 1)
#endif
#ifdef LIVE
#define LAST (calm -> MAXT : MAXT - 2) /* terms are left for when it has calmed down */
#else
#define LAST MAXT
#endif
#ifdef RENEW_AFTER_DEADLINE
#define MAY_RENEW 1
#else
#define MAY_RENEW (c[i].left > 0)
#endif

/* A tenant's first lease: until the cluster remembers it, and acquisitions from before are through, a loss goes unnoticed. */
#ifdef LOSS_AT_BIRTH
#define BORN 1
#else
#define BORN (marker && !(c[0].call != none && c[0].cabsent) && !(c[N - 1].call != none && c[N - 1].cabsent))
#endif

proctype Elector(byte i) { byte k, next; do
  :: atomic { !c[i].held && (!c[i].fresh || !c[i].inc) -> read(i) }
  :: atomic { !c[i].held && c[i].call == none && c[i].fresh && FREE && NEXT <= LAST ->
      next = NEXT; send(i, acquiring, next); next = 0;
      assert(pod == NO || c[i].cterm > pstamp) } /* above every stamp that stands */
  :: atomic { c[i].held && c[i].call == none && c[i].fresh && c[i].left < TTL && MAY_RENEW -> send(i, renewing, c[i].term) }
  :: atomic { c[i].held && c[i].call == none && !c[i].fresh -> read(i); /* a conflict: whose write was it? */
#ifdef CONFLICT_EXTENDS
      if :: c[i].held -> c[i].left = TTL :: else fi
#endif
    }
  :: atomic { c[i].call != none && c[i].patient && c[i].reply == none && !calm -> c[i].patient = 0; c[i].cleft = 0 } /* the call timed out */
  :: atomic { c[i].held && !c[i].est && c[i].left > 0 -> marker = 1; c[i].est = 1; alone(i) } /* #establish */
  :: atomic { c[i].reply != none -> /* sawWrite; a conflict has cleared `fresh`, so that a read follows */
#ifdef VALID_FROM_REPLY
      c[i].cleft = TTL;
#endif
      if
      :: c[i].reply == lost -> end(i); c[i].wait = TTL; c[i].fresh = 0
      :: c[i].reply == ok && c[i].cleft > 0 && (c[i].held || c[i].call == acquiring) ->
        c[i].held = 1; c[i].on = 1; c[i].term = c[i].cterm; c[i].left = c[i].cleft; c[i].fresh = c[i].cfresh; c[i].seen = 0; c[i].newborn = 0
      :: else
      fi;
      hangUp(i) }
od }

proctype Reconciler(byte i) { byte k; do
  :: atomic { c[i].grant == 0 && HOLDS(i) -> read(i); /* guard.ts: enter */
      if :: HOLDS(i) -> alone(i); c[i].grant = c[i].term :: else fi }
  :: atomic { c[i].grant != 0 -> /* look, decide, then assertHeld and dispatch: one step, for what follows may take any time */
      if
      :: !HOLDS(i) || c[i].term != c[i].grant || c[i].req != none
#ifndef NO_STAMP_CHECK
      :: pod != NO && pstamp > c[i].grant -> end(i) /* plan.ts: assertNotLater, then elector.demote */
#endif
      :: else -> alone(i);
        c[i].rterm = c[i].grant; c[i].rfresh = 1;
        if /* process/decide.ts */
        :: pod == NO -> c[i].req = creating
        :: pod == RUNS && pstamp != c[i].grant -> c[i].req = stamping
        :: pod == RUNS && pstamp == c[i].grant -> c[i].req = stopping /* the spec changed */
        :: pod == GONE -> c[i].req = freeing
#ifdef FREE_BEFORE_GONE
        :: pod == ENDING -> c[i].req = freeing
#else
        :: pod == ENDING -> unsend(i)
#endif
        fi
      fi;
      c[i].grant = 0 }
od }

inline store(i) { /* cell-store.ts: write */
  if
  :: (c[i].cabsent && absent) || (!c[i].cabsent && !absent && c[i].cfresh) ->
    c[i].reply = (c[i].cinc -> ok : lost);
#ifdef NO_INCARNATION
    c[i].reply = ok;
#endif
    if
    :: c[i].call == acquiring ->
#if !defined(RESTORE) || defined(TIME_AFTER_RESTORE)
      assert(c[i].cterm > top); /* terms strictly increase */
#endif
#ifdef RESTORE
      oldHolder = (absent -> NOBODY : holder); oldTerm = term;
#endif
      if :: c[i].cterm > top -> top = c[i].cterm :: else fi
    :: else
    fi;
    absent = 0; holder = (c[i].call == releasing -> NOBODY : i); term = c[i].cterm; current = c[i].cinc;
    cellChanged(); c[i].cfresh = 1
  :: else -> c[i].reply = conflict
  fi;
  if
  :: !c[i].patient -> hangUp(i)
  :: c[i].patient && !calm -> hangUp(i) /* the reply is lost */
  :: c[i].patient
  fi
}

inline serve(i) { /* the API server */
  if
  :: c[i].req == creating ->
    if
#ifdef NO_NAME_LOCK
    :: 1 ->
#else
    :: pod == NO ->
#endif
      assert(running == 0); /* never a pod beside another */
#ifdef LATE_CREATE
      assert(c[i].rterm >= everTouched);
#endif
      pod = RUNS; running++; pstamp = c[i].rterm; touched = c[i].rterm; podChanged()
    :: else
    fi
#ifdef NO_CAS
  :: c[i].req != creating && pod != NO ->
#else
  :: c[i].req != creating && c[i].rfresh ->
#endif
    assert(c[i].rterm >= touched); /* nothing is accepted after a higher term wrote the pod */
    touched = c[i].rterm;
    if
    :: c[i].req == stamping -> pstamp = c[i].rterm
#ifdef NO_FINALIZER
    :: c[i].req == stopping -> pod = NO /* grace 0, or the node is cut off: the container runs on */
#else
    :: c[i].req == stopping && pod == RUNS -> pod = ENDING
#endif
    :: c[i].req == freeing -> pod = NO
    :: else
    fi;
    podChanged()
  :: else
  fi;
#ifdef LATE_CREATE
  if :: touched > everTouched -> everTouched = touched :: else fi;
#endif
  if :: pod == NO -> pstamp = 0; touched = 0 :: else fi;
  unsend(i)
}

inline tick() {
  for (k : 0 .. N - 1) {
    if
    :: 1 ->
#ifndef NO_DEADLINE
      c[k].left = (c[k].left > 0 -> c[k].left - 1 : 0);
#endif
      c[k].cleft = (c[k].cleft > 0 -> c[k].cleft - 1 : 0);
      c[k].wait = (c[k].wait > 0 -> c[k].wait - 1 : 0);
      c[k].seen = (c[k].fresh && !c[k].held && !absent && c[k].seen < TTL -> c[k].seen + 1 : c[k].seen);
#ifndef RENEW_AFTER_DEADLINE
      if :: c[k].left == 0 -> end(k) :: else fi /* expire */
#endif
#ifdef FROZEN
    :: c[k].on /* a paused machine: its clocks stand as well */
#endif
    fi
  }
}

inline leave(i) { /* elector.ts: leave, #release; a new process follows under another identity */
  if
  :: c[i].held && c[i].call == none && c[i].fresh -> send(i, releasing, c[i].term)
  :: 1 /* it crashed, or the tombstone could not be written */
  fi;
#ifdef RELEASE_BEFORE_GRANTS_END
  c[i].held = 0;
#else
  end(i);
#endif
  if :: c[i].reply != none -> hangUp(i) :: else -> c[i].cleft = 0 fi;
  c[i].fresh = 0; c[i].seen = 0; c[i].wait = 0; c[i].newborn = 0; c[i].patient = 0; faults--
}

proctype Wire(byte i) { byte k; do /* what the network and fate do to one controller */
  :: atomic { c[i].call != none && c[i].reply == none -> store(i) }
  :: atomic { c[i].call != none && c[i].reply == none && !calm -> hangUp(i) }
  :: atomic { c[i].req != none -> serve(i) }
  :: atomic { c[i].req != none && !calm -> unsend(i) }
  :: atomic { faults > 0 && !calm -> leave(i) }
od }

proctype World() { byte k; do
#ifdef LIVE
  :: atomic { calm && timeout -> tick() }
#endif
  :: atomic { !calm -> tick() }
  :: atomic { running > 0 && pod != RUNS -> running--; if :: pod == ENDING -> pod = GONE :: else fi; podChanged() }
#ifdef RESTORE
  :: atomic { intact && !calm && marker && oldHolder != NOBODY -> /* a backup, or a replica that lagged: old versions match again */
      intact = 0; holder = oldHolder; term = oldTerm; absent = 0; current = 0; cellChanged();
      for (k : 0 .. N - 1) { c[k].inc = 0; c[k].cinc = 0;
        if :: c[k].fresh = 1; c[k].seen = TTL :: skip fi;
        if :: c[k].call != none -> c[k].cfresh = 1 :: skip fi } }
#else
  :: atomic { intact && !calm && !absent && BORN -> intact = 0; absent = 1; holder = 0; term = 0; current = 0; cellChanged() }
#endif
#ifdef LIVE
  :: atomic { !calm -> calm = 1 }
#endif
od }

init { byte k; atomic { for (k : 0 .. N - 1) { c[k].inc = 1; run Elector(k); run Wire(k);
#ifdef POD
  run Reconciler(k)
#endif
  } run World() } }

#ifdef LIVE
ltl progress { [] (calm -> <> (HOLDS(0) || HOLDS(1))) }
#endif
