/** `npm run prepare:tests`: what the tests need of the machine, once. Later runs find it there. */
import { prepare } from '../cluster/prepare.ts';
import { installFor } from './tools.ts';

await installFor('test');
await prepare();
