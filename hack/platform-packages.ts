/** Lock entries for the builds of a package for other platforms, as npm writes them where the registry has them. */

export interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** `…android-arm-eabi`, `…linux-x64-musl`, `…win32-ia32-msvc`: system, processor, and what it is linked against. */
const PLATFORM = /(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-([a-z0-9]+)(?:-([a-z]+))?$/;

export function withPlatformPackages<T extends Lock>(lock: T): T {
  const packages: Record<string, LockEntry> = { ...lock.packages };
  for (const entry of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      const missing = packages[path] === undefined && PLATFORM.test(name);
      if (missing) packages[path] = platformEntry(name, version, entry);
    }
  }
  const sorted = Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return { ...lock, packages: Object.fromEntries(sorted) };
}

function platformEntry(name: string, version: string, { dev }: LockEntry): LockEntry {
  const [, os = '', cpu = '', linkedTo = ''] = PLATFORM.exec(name) ?? [];
  const libc =
    os === 'linux' && linkedTo === 'musl'
      ? ['musl']
      : os === 'linux' && linkedTo.startsWith('gnu')
        ? ['glibc']
        : undefined;
  return { version, cpu: [cpu], ...(dev ? { dev } : {}), ...(libc ? { libc } : {}), optional: true, os: [os] };
}
