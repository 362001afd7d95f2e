/** What must hold at every step of every run. */
export const properties = {
  'one holder': 'No two controllers may act at one time, each by its own clock.',
  'terms grow': 'A term is higher than all before it; none is used twice.',
  'no late dispatch': 'A write is dispatched only while its sender holds its term.',
  'guard reads': 'Each grant follows a read of the lease that was sent after the grant was asked for.',
  'later term stays': 'The API server accepts no write of a lower term on an object that a higher one has touched.',
  'one instance':
    'No two containers of a workload run at one time, in whatever cluster; but see the hole of the takeover `bounded`.',
  'no needless loss':
    'While the store has lost nothing, a lease ends only by its deadline, by leaving, or by a later term.',
  'one run':
    'The run of an instant begins once at most, unless the ledger was lost and a cluster takes over whose clock is behind.',
  'no needless restart': 'A container is stopped only for a new spec, or to park it.',
  'no needless parking':
    'Workloads are parked only when the permit has ended, renewals are late, or the last controller leaves.',
  'parked in time':
    'Where a controller works, nothing runs longer than the permit, the grace for adoption, and what stopping takes.',
  'permit in time': 'A permit ends no later than the lease of the renewal that it goes back to.',
  'true reports':
    'A controller says that nothing runs in its cluster only when nothing does, and no later term began there.',
  'drain announced': 'No container may take longer to end than the lease says.',
  'hands off': 'What only looks like ours is neither changed nor deleted.',
  'somebody acts':
    'While a controller is hindered by nothing, somebody acts within the bound, whatever else is broken.',
  'words of people':
    'That a cluster has stopped is not believed of one that lives; an order counts for the term that was meant, and nobody hands over unasked.',
  progress: 'After the last fault a controller leads, and has adopted every object, within the bound.',
  'no defect': 'Nothing throws that nobody expects.',
} as const;

/** Name of a property. */
export type Property = keyof typeof properties;
