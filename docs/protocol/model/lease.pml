/*
 * Lease, guard and hand-over in scope `single`: controllers, one lease cell, one pod. `node hack/model.ts` checks it.
 *
 * Time is a tick that moves all clocks at once; how many ticks a step takes is open. Versions are not counted: whoever knows
 * one has a bit `fresh`, which the next write of the cell (or pod) clears; a compare-and-set succeeds while it is set.
 * A request lies in its slot until it is delivered or dropped, however late and whatever became of its sender: that is also
 * the process frozen between `assertHeld` and its connection. Names in CAPITALS are switches, 0 or 1: the README lists them.
 */
#define NOBODY 255
#define none 0
mtype = { acquiring, renewing, releasing, ok, conflict, lost, creating, stamping, stopping, freeing };

typedef Controller {          /* one process: its election, its Term, its reconciler */
  bool held, on, est;         /* election.held; the Term has not ended; #establish is through */
  byte term, left;            /* of the lease held; ticks until validUntil */
  bool fresh, inc;            /* the version last seen is the cell's; the incarnation last seen is the store's */
  byte seen, wait;            /* ticks since that version was first seen; ticks of quarantine left */
  bool newborn;               /* the cluster did not know the tenant when asked */
  mtype call, reply;          /* call to the store, and its reply */
  bool cfresh, cabsent, cinc; /* the version that it expects stands; it expects absence; `inc` when it was decided */
  bool patient;               /* not given up */
  byte cterm, cleft;          /* term that it writes; ticks that a lease counted from its sending has left */
  byte grant;                 /* term of the reconcile under way */
  mtype req;                  /* request to the API server */
  byte rterm; bool rfresh     /* term that sent it; the resourceVersion in it stands */
}
Controller c[N];
bool absent = 1, current;     /* there is no cell; its record is of the store's incarnation */
byte holder, term;            /* of the record */
byte oldHolder = NOBODY, oldTerm; /* of the record before the last acquisition, for RESTORE */
byte marker, acted;           /* term in Lease highlander-permit-<tenant>, 0: there is none; highest term that acted */
#define NO 0
#define RUNS 1
#define ENDING 2              /* deletionTimestamp set, the container may run */
#define GONE 3                /* held by the finalizer only */
byte pod, stamp, running;     /* its term annotation; containers of the workload */
byte touched, everTouched;    /* highest term that wrote this pod, and any pod of the name */
byte faults = FAULTS;         /* crashes and departures; besides, the store is lost once */
bool intact = LOSS, calm;     /* it was not yet; LIVE: no more faults, and time waits for everybody */

#define HOLDS(i) (c[i].on && c[i].est && c[i].left > 0) /* elector.term, Term.assertHeld */
#define LESS(x) x = (x > 0 -> x - 1 : 0)
inline end(i) { d_step { c[i].held = 0; c[i].on = 0; c[i].est = 0; c[i].term = 0; c[i].left = 0 } }
inline hangUp(i) { d_step {
  c[i].call = none; c[i].reply = none; c[i].cfresh = 0; c[i].cabsent = 0; c[i].cinc = 0; c[i].patient = 0; c[i].cterm = 0; c[i].cleft = 0
} }
inline unsend(i) { d_step { c[i].req = none; c[i].rterm = 0; c[i].rfresh = 0 } }
inline cellChanged() { d_step { for (k : 0 .. N - 1) { c[k].fresh = 0; c[k].cfresh = 0; c[k].seen = 0 } k = 0 } }
inline podChanged() { d_step { for (k : 0 .. N - 1) { c[k].rfresh = 0 } k = 0 } }
/* Mutual exclusion. With FROZEN clocks a process cannot know, and only the pod is protected. */
inline alone(i) { d_step { for (k : 0 .. N - 1) { assert(FROZEN || k == i || !HOLDS(k)) } k = 0 } }

inline read(i) { /* observe.ts: sawCell, checkHolder, noticeLoss; then the marker */
  if :: c[i].held && (absent || holder != i || term != c[i].term || !c[i].inc) -> end(i) :: else fi;
  if
  :: !c[i].fresh || !c[i].inc -> c[i].seen = 0; c[i].wait = (absent || !current -> TTL : c[i].wait)
  :: else
  fi;
  c[i].newborn = (MARKER_CACHED && c[i].newborn) || (absent && !marker);
  c[i].fresh = 1; c[i].inc = 1
}

inline send(i, what, number) { d_step {
  c[i].call = what; c[i].cterm = number; c[i].cfresh = 1; c[i].cabsent = absent; c[i].cinc = c[i].inc; c[i].cleft = TTL; c[i].patient = 1
} }

/* decide.ts: decideOnAbsence, decideOnRecord, whenFree (the store's age of a record is never below `seen`) */
#define WAITED (NO_QUARANTINE || c[i].wait == 0)
#define EXPIRED (!NO_EXPIRY && c[i].seen >= TTL - WAIT_TOO_SHORT)
#define FREE_ABSENT (absent && (ABSENT_IS_FREE || c[i].newborn || WAITED))
#define FREE_RECORD (!absent && WAITED && (holder == NOBODY || EXPIRED))
/* decide.ts: nextTerm, but for the store's time and the peers' reports: it must do without */
#define MAX(x, y) (x > y -> x : y)
#define NEXT ((NO_LIFT -> term : MAX(term, MAX(stamp, marker))) + 1)
#define LAST ((LIVE && !calm) -> MAXT - 2 : MAXT) /* some terms are left for when it has calmed down */

proctype Elector(byte i) { byte k, number; do
  :: atomic { !c[i].held && !c[i].patient && (!c[i].fresh || !c[i].inc) -> read(i) }
  :: atomic { !c[i].held && c[i].call == none && c[i].fresh && (FREE_ABSENT || FREE_RECORD) && NEXT <= LAST ->
      number = NEXT; send(i, acquiring, number); number = 0 }
  :: atomic { c[i].held && c[i].call == none && c[i].fresh && c[i].left < TTL && (c[i].left > 0 || RENEW_AFTER_DEADLINE) ->
      send(i, renewing, c[i].term) }
  :: atomic { c[i].held && c[i].call == none && !c[i].fresh -> /* a conflict, or no reply: whose write was it? */
      read(i); c[i].left = ((CONFLICT_EXTENDS && c[i].held) -> TTL : c[i].left) }
  :: atomic { c[i].call != none && c[i].patient && c[i].reply == none && !calm -> c[i].patient = 0; c[i].cleft = 0 } /* timed out */
  :: atomic { c[i].held && !c[i].est && c[i].left > 0 -> /* elector.ts: #establish */
      c[i].est = 1; alone(i);
      assert(FROZEN || c[i].term > acted); /* terms strictly increase */
      marker = c[i].term; acted = marker }
  :: atomic { c[i].reply != none -> /* observe.ts: sawWrite; after a conflict `fresh` is unset, and a read follows */
      c[i].cleft = (VALID_FROM_REPLY -> TTL : c[i].cleft);
      if
      :: c[i].reply == lost -> end(i); c[i].wait = TTL; c[i].fresh = 0
      :: c[i].reply == ok && c[i].cleft > 0 && (c[i].held || c[i].call == acquiring) ->
        c[i].held = 1; c[i].on = 1; c[i].term = c[i].cterm; c[i].left = c[i].cleft;
        c[i].fresh = c[i].cfresh; c[i].seen = 0; c[i].newborn = 0
      :: else
      fi;
      hangUp(i) }
od }

proctype Reconciler(byte i) { byte k; do
  :: atomic { c[i].grant == 0 && HOLDS(i) -> read(i); /* guard.ts: enter */
      if :: HOLDS(i) -> alone(i); c[i].grant = c[i].term :: else fi }
  :: atomic { c[i].grant != 0 -> /* look, decide, assertHeld, dispatch: one step, for what follows may take any time */
      if
      :: !HOLDS(i) || c[i].term != c[i].grant || c[i].req != none
      :: HOLDS(i) && !NO_STAMP_CHECK && pod != NO && stamp > c[i].grant -> end(i) /* plan.ts: assertNotLater; demote */
      :: else -> alone(i); c[i].rterm = c[i].grant; c[i].rfresh = 1;
        if /* process/decide.ts; any change of the spec stops the pod */
        :: pod == NO -> c[i].req = creating
        :: pod == RUNS && stamp != c[i].grant -> c[i].req = stamping
        :: pod == RUNS && stamp == c[i].grant -> c[i].req = stopping
        :: pod == GONE || pod == ENDING && FREE_BEFORE_GONE -> c[i].req = freeing
        :: pod == ENDING -> unsend(i)
        fi
      fi;
      c[i].grant = 0 }
od }

inline store(i) { /* cell-store.ts: write */
  if
  :: (c[i].cabsent && absent) || (!c[i].cabsent && !absent && c[i].cfresh) ->
    c[i].reply = ((c[i].cinc || NO_INCARNATION) -> ok : lost);
    if
    :: c[i].call == acquiring ->
      oldHolder = ((absent || !RESTORE) -> NOBODY : holder); oldTerm = (RESTORE -> term : 0)
    :: else
    fi;
    absent = 0; holder = (c[i].call == releasing -> NOBODY : i); term = c[i].cterm; current = c[i].cinc;
    cellChanged(); c[i].cfresh = 1
  :: else -> c[i].reply = conflict
  fi;
  if
  :: !c[i].patient || !calm -> hangUp(i) /* nobody waits any more, or the reply is lost */
  :: c[i].patient
  fi
}

inline serve(i) { /* the API server */
  if
  :: c[i].req == creating && (pod == NO || NO_NAME_LOCK) ->
    assert(running == 0); /* never a pod beside another */
    assert(!LATE_CREATE || c[i].rterm >= everTouched);
    pod = RUNS; running++; stamp = c[i].rterm; touched = stamp; podChanged()
  :: c[i].req != creating && (c[i].rfresh || NO_CAS && pod != NO) ->
    assert(c[i].rterm >= touched); /* nothing is accepted after a higher term wrote the pod */
    touched = c[i].rterm;
    if
    :: c[i].req == stamping -> stamp = c[i].rterm
    :: c[i].req == stopping -> pod = (NO_FINALIZER -> NO : (pod == RUNS -> ENDING : pod)) /* grace 0: the container may run on */
    :: c[i].req == freeing -> pod = NO
    fi;
    podChanged()
  :: else
  fi;
  everTouched = ((LATE_CREATE && touched > everTouched) -> touched : everTouched);
  if :: pod == NO -> stamp = 0; touched = 0 :: else fi;
  unsend(i)
}

inline leave(i) { /* elector.ts: leave, #release. A crash writes nothing; a new process follows under another identity */
  if
  :: c[i].held && c[i].call == none && c[i].fresh -> send(i, releasing, c[i].term)
  :: 1
  fi;
  if :: RELEASE_BEFORE_GRANTS_END -> c[i].held = 0 :: else -> end(i) fi;
  if :: c[i].reply != none -> hangUp(i) :: else -> c[i].cleft = 0; c[i].patient = 0 fi;
  c[i].fresh = 0; c[i].seen = 0; c[i].wait = 0; c[i].newborn = 0; faults--
}

proctype Wire(byte i) { byte k; do /* what the network and fate do to one controller */
  :: atomic { c[i].call != none && c[i].reply == none -> store(i) }
  :: atomic { c[i].call != none && c[i].reply == none && !calm -> hangUp(i) }
  :: atomic { c[i].req != none -> serve(i) }
  :: atomic { c[i].req != none && !calm -> unsend(i) }
  :: atomic { faults > 0 && !calm -> leave(i) }
od }

inline tick() {
  for (k : 0 .. N - 1) {
    if
    :: 1 ->
      c[k].left = ((c[k].left > 0 && !NO_DEADLINE) -> c[k].left - 1 : c[k].left);
      d_step { LESS(c[k].cleft); LESS(c[k].wait);
        c[k].seen = ((c[k].fresh && !c[k].held && !absent && c[k].seen < TTL) -> c[k].seen + 1 : c[k].seen) }
      if :: c[k].left == 0 && !RENEW_AFTER_DEADLINE -> end(k) :: else fi /* observe.ts: expire */
    :: FROZEN && c[k].on /* the machine is paused, and both of its clocks with it */
    fi
  }
  k = 0
}

/* A tenant's first lease: until the cluster remembers it and acquisitions from before are through, a loss stays unseen. */
#define UNBORN(i) (c[i].call != none && c[i].cabsent)
#define BORN (LOSS_AT_BIRTH || marker && !UNBORN(0) && !UNBORN(1) && !UNBORN(N - 1))

proctype World() { byte k; do
  :: atomic { !calm || timeout -> tick() }
  :: atomic { running > 0 && pod != RUNS -> /* the kubelet */
      running--; pod = (pod == ENDING -> GONE : pod); podChanged() }
  :: atomic { intact && !calm && !RESTORE && !absent && BORN -> /* everything is deleted; the incarnation stays */
      intact = 0; absent = 1; holder = 0; term = 0; current = 0; cellChanged() }
  :: atomic { intact && !calm && RESTORE && marker && oldHolder != NOBODY -> /* an old state is back, and versions match again */
      intact = 0; absent = 0; holder = oldHolder; term = oldTerm; current = 0; cellChanged();
      for (k : 0 .. N - 1) {
        c[k].inc = 0; c[k].cinc = 0;
        if :: c[k].fresh = 1; c[k].seen = (c[k].held -> 0 : TTL) :: 1 fi;
        if :: c[k].call != none -> c[k].cfresh = 1 :: 1 fi
      }
      k = 0 }
  :: atomic { LIVE && !calm -> calm = 1 }
od }

init { byte k; atomic {
  for (k : 0 .. N - 1) {
    c[k].inc = 1; run Elector(k); run Wire(k);
    if :: POD -> run Reconciler(k) :: else fi
  }
  run World()
} }

#if LIVE
ltl progress { [] (calm -> <> (HOLDS(0) || HOLDS(1) || HOLDS(N - 1))) } /* when faults have stopped, somebody leads, again and again */
#endif
