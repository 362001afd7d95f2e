import { runSeed } from '/work/main/operator/sim/run.ts';
const n = Number(process.argv[2] ?? 20); const from = Number(process.argv[3] ?? 1); const profile = process.argv[4] as any;
const t = performance.now(); let el=0, ev=0, ms=0; const bad: Record<string, any[]> = {};
for (let seed = from; seed < from + n; seed++) { if (process.env.P) process.stderr.write(seed+' '); const r = await runSeed({ seed, lines: n===1?Infinity:undefined as any, ...(profile?{profile}:{}) }); el+=r.elections; ev+=r.events; ms+=r.simulatedMs;
 if (n===1) { console.log(r.lines.join('\n')); }
 if (r.violation) (bad[r.violation.property] ??= []).push([r.seed, r.profile, r.violation.detail]); }
console.log(n/((performance.now()-t)/1000), 'seeds/s', el/n, 'elections', ev/n, 'events', ms/n);
for (const [k,v] of Object.entries(bad)) { console.log(k, v.length); for (const x of v.slice(0,6)) console.log('   ', ...x); }
