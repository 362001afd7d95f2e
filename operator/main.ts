/**
 * Checks that this Node can run the program, before anything is loaded that an older one does not understand; and ends
 * the process when all is said, whatever a library may have left open.
 */
const needed = [24, 11] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(
    `highlander needs Node ${needed.join('.')} or later, this is ${process.versions.node}; a checkout has one: node_modules/.bin/node\n`,
  );
  process.exitCode = 2;
} else {
  const { main } = await import('./cli.ts');
  const code = await main(process.argv.slice(2));
  const written = (stream: NodeJS.WriteStream) => new Promise<void>((resolve) => stream.write('', () => resolve()));
  await Promise.all([process.stdout, process.stderr].map(written));
  process.exit(code);
}
