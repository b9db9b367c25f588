// Which functions may a rule call, and which of them are ours? The allow-list, and what replaces built-ins.
// A built-in cannot be overridden in the library, so hardening.ts renames calls to `__name`, registered here.
import type { CelFunction } from './cel-function.ts';
import { conversions } from './functions-conversion.ts';
import { formats } from './functions-format.ts';
import { lists } from './functions-list.ts';
import { namedFormats } from './functions-named-format.ts';
import { networks } from './functions-network.ts';
import { optionals } from './functions-optional.ts';
import { quantities } from './functions-quantity.ts';
import { semvers } from './functions-semver.ts';
import { sets } from './functions-set.ts';
import { strings } from './functions-string.ts';
import { times } from './functions-time.ts';
import { urls } from './functions-url.ts';
import { charge } from './meter.ts';

/** Every function registered here, built-ins that are replaced under `__name`. */
export const FUNCTIONS: readonly CelFunction[] = [
  strings,
  formats,
  lists,
  sets,
  conversions,
  times,
  optionals,
  urls,
  quantities,
  semvers,
  networks,
  namedFormats,
].flat();

/** A function as the library calls it: it charges its own price first. */
export function toHandler({
  run,
  cost = 0,
  costPerCharacter = 0,
}: CelFunction): (...values: unknown[]) => unknown {
  const call = run as (...values: unknown[]) => unknown;
  if (cost === 0 && costPerCharacter === 0) return call;
  return (...values) => {
    const length = values.reduce<number>(
      (sum, value) => sum + (typeof value === 'string' ? value.length : 0),
      0,
    );
    charge(cost + Math.ceil(costPerCharacter * length));
    return call(...values);
  };
}

// Kept from the library as they are: `call` is name(…), `rcall` is receiver.name(…), then the number of arguments.
const KEPT = [
  'call:size/1 call:bool/1 call:bytes/1 call:dyn/1 call:type/1 call:has/1',
  'rcall:size/0 rcall:startsWith/1 rcall:endsWith/1 rcall:contains/1 rcall:split/1 rcall:split/2',
  'rcall:all/2 rcall:exists/2 rcall:exists_one/2 rcall:map/2 rcall:map/3 rcall:filter/2',
  'rcall:all/3 rcall:exists/3 rcall:existsOne/3 rcall:exists_one/3 rcall:optMap/2 rcall:optFlatMap/2',
  'rcall:transformList/3 rcall:transformMap/3 rcall:transformMapEntry/3',
  'rcall:transformList/4 rcall:transformMap/4 rcall:transformMapEntry/4',
  'rcall:getHours/0 rcall:getMinutes/0 rcall:getSeconds/0 rcall:getMilliseconds/0 rcall:getFullYear/0',
  'rcall:getMonth/0 rcall:getDate/0 rcall:getDayOfMonth/0 rcall:getDayOfWeek/0',
  'rcall:hasValue/0 rcall:value/0 rcall:or/1 rcall:orValue/1 rcall:none/0 rcall:of/1',
]
  .join(' ')
  .split(' ');

/** Calls that keep their name, as `style:name/count`. */
export const KEPT_CALLS: ReadonlySet<string> = new Set(KEPT);

/** Calls that hardening renames to `__name`, as `style:name/count`. */
export const REPLACED_CALLS: ReadonlySet<string> = new Set(FUNCTIONS.map(callKey));

function callKey({ signature }: CelFunction): string {
  const [, receiver, name, parameters = ''] = /^(.*\.)?__(\w+)\((.*)\):/.exec(signature) ?? [];
  if (name === undefined) throw new Error(`not a replacement: ${signature}`);
  const count = parameters === '' ? 0 : parameters.split(',').length;
  return `${receiver === undefined ? 'call' : 'rcall'}:${name}/${count}`;
}
