/** `npm run bench`: the same as `sluice bench`. */
import { bench } from './command.ts';

process.exitCode = await bench(process.argv.slice(2));
