// How long does a unit of CEL cost take, and how long can one rule hold the event loop? Every function and operator on
// its worst known operands, until a budget is spent; prints processor time a unit and the time of a rule at its limit.
// Asserts nothing about time. Run: node bench/cel.ts [name]
import { createBaseEnvironment, withVariables } from '../src/policy/cel/environment.ts';
import { compileExpression } from '../src/policy/cel/expression.ts';
import { MAX_EXPRESSION_COST, MAX_REQUEST_COST } from '../src/policy/cel/limits.ts';
import { createCelMeter } from '../src/policy/cel/meter.ts';

const ROUNDS = 3;

const VARIABLES = {
  ints: 'list<int>',
  names: 'list<string>',
  big: 'list<int>',
  long: 'string',
  words: 'string',
  random: 'string',
  half: 'string',
  mixed: 'string',
  wide: 'string',
  short: 'string',
  doubles: 'list<double>',
  table: 'map<string, dyn>',
  now: 'google.protobuf.Timestamp',
  url: 'string',
  quantity: 'string',
  pairs: 'list<list<int>>',
};

let seed = 1;
function next(below: number): number {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  return seed % below;
}

const values = new Map<string, unknown>([
  ['ints', Array.from({ length: 100 }, (_, at) => BigInt(at))],
  ['names', Array.from({ length: 100 }, (_, at) => `name-${at}`)],
  ['big', Array.from({ length: 5000 }, (_, at) => BigInt(at))],
  ['long', 'a'.repeat(5000)],
  ['words', 'word '.repeat(1000)],
  ['random', Array.from({ length: 5000 }, () => 'ab'.charAt((next(65_536) >> 8) % 2)).join('')],
  ['half', Array.from({ length: 512 }, () => 'ab'.charAt((next(65_536) >> 8) % 2)).join('')],
  ['mixed', Array.from({ length: 512 }, () => 'aéb '.charAt((next(65_536) >> 8) % 4)).join('')],
  ['wide', '😀'.repeat(2500)],
  ['short', 'model-0001.safetensors'],
  ['doubles', Array.from({ length: 100 }, (_, at) => at + 0.1234567)],
  ['table', new Map(Array.from({ length: 100 }, (_, at) => [`key-${at}`, BigInt(at)]))],
  ['now', new Date('2026-01-01T00:00:00Z')],
  ['url', `https://user@example.com:443/${'a%20/'.repeat(900)}?${'a=b&'.repeat(500)}`],
  ['quantity', `${'9'.repeat(60)}.${'9'.repeat(60)}Gi`],
  ['pairs', Array.from({ length: 100 }, (_, at) => [BigInt(at), BigInt(at + 1)])],
]);

// What is done in the innermost of three loops.
const STEPS: Readonly<Record<string, string>> = {
  'nothing (a loop itself)': 'true',
  'error absorbed': '1 / 0 > 1 || true',
  arithmetic: 'x * 3 + y - 7 != z',
  logic: '(x > 1 && y > 2 || z > 3) || true',
  ternary: '(x > y ? x : y) >= 0',
  literals: '[x, y, z] != [1]',
  'map literal': '{"a": x, "b": y} != {"a": 1}',
  'string +': '(short + short) != ""',
  'list +': '(ints + ints).size() > 0',
  '== of strings': 'long + "b" != long + "c"',
  '< of strings': '!(random < random)',
  '== of lists': 'big == big',
  '== of maps': 'table == table',
  'in list': '!(-1 in big)',
  'in map': '"key-1" in table',
  has: 'has(table.a) || true',
  optional: 'table.?a.optMap(v, v).orValue(1) == 1',
  size: 'long.size() > 0',
  'size (wide)': 'wide.size() > 0',
  contains: '!long.contains("aaaaaaaaaaaaaaab")',
  startsWith: 'long.startsWith("a")',
  split: 'words.split(" ").size() > 0',
  'split (each)': 'long.split("").size() > 0',
  join: 'names.join(",") != ""',
  replace: 'words.replace(" ", "--") != ""',
  lowerAscii: 'long.upperAscii() != ""',
  trim: '("  " + words).trim() != ""',
  'substring (wide)': 'wide.substring(3, 4) != ""',
  'indexOf (wide)': 'wide.indexOf("x") < 0',
  charAt: 'short.charAt(3) != ""',
  reverse: 'wide.reverse() != ""',
  'format %s': '"%s".format([ints]) != ""',
  'format %f': '"%.100f".format([1.5]) != ""',
  'format %e': '"%e %d".format([1234.5, x]) != ""',
  'format %x': '"%x".format([long]) != ""',
  quote: 'strings.quote(words) != ""',
  'matches (short, small)': 'short.matches("^[a-z0-9-]+[.]safetensors$")',
  'matches (long, small)': '!random.matches("^(a+b*)+$") || true',
  'matches (states)': '!random.matches("[ab]*a[ab]{20}[^ab]")',
  'matches (more states)': '!random.matches("[ab]*a[ab]{100}[^ab]")',
  'matches (most states)': '!random.matches("[ab]*a[ab]{400}[^ab]")',
  'matches (case)': '!random.matches("(?i)[ab]*a[ab]{60}[^ab]")',
  'matches (words)': '!words.matches("\\\\b[a-z ]*o[a-z ]{50}\\\\b[^a-z ]")',
  'matches (512, most states)': '!half.matches("[ab]*a[ab]{400}[^ab]")',
  'matches (512, letters)': '!mixed.matches("(?:\\\\pL|\\\\s)*a(?:\\\\pL|\\\\s){100}[0-9]")',
  'matches (512, words)': '!mixed.matches("\\\\b[aéb ]*a[aéb ]{300}\\\\b[^aéb ]")',
  'matches (long, twelve instructions)': '!random.matches("[ab]*a[ab]{6}[^ab]")',
  'matches (dynamic)': '!short.matches("x" + string(x * 10000 + y * 100 + z) + "[a-z]{9}")',
  find: 'long.find("^(a+)+$") != ""',
  'find (most)': 'random.find("[ab]*a[ab]{400}[^ab]") == ""',
  findAll: 'long.findAll("a").size() > 0',
  'findAll (quadratic)': 'long.findAll("a*b|a").size() > 0',
  'int()': 'int("9223372036854775807") > 0',
  'double()': 'double("1.7976931348623157e308") > 0.0',
  'string(double)': 'string(0.1 + 1.0) != ""',
  'string(time)': 'string(now) != ""',
  'timestamp()': 'timestamp("2026-01-01T00:00:00.123456789Z") >= now',
  'duration()': 'duration("1h2m3.456s") > duration("1s")',
  'time + duration': 'now + duration("1s") > now',
  getHours: 'now.getHours() >= 0',
  'getHours (zone)': 'now.getHours("America/New_York") >= 0',
  getDayOfYear: 'now.getDayOfYear() >= 0',
  sum: 'big.sum() > 0',
  min: 'big.min() == 0',
  isSorted: 'big.isSorted()',
  'indexOf (list)': 'big.indexOf(-1) < 0',
  sort: 'big.sort().size() > 0',
  distinct: 'ints.distinct().size() > 0',
  slice: 'big.slice(0, 5000).size() > 0',
  flatten: 'pairs.flatten().size() > 0',
  range: 'lists.range(1000).size() > 0',
  'sets.contains': 'sets.contains(ints, ints)',
  'sets.intersects': '!sets.intersects(ints, [-1])',
  'map()': 'ints.map(v, v).size() > 0',
  'filter()': 'ints.filter(v, v > 5).size() > 0',
  'all(i, v)': 'ints.all(i, v, i == v)',
  transformMap: 'table.transformMap(k, v, v).size() > 0',
  transformMapEntry: 'names.transformMapEntry(i, v, {v: i}).size() > 0',
  'url()': 'url(url).getHost() != ""',
  getQuery: 'url(url).getQuery().size() > 0',
  'quantity()': 'isQuantity(quantity)',
  'quantity add': 'quantity(quantity).add(quantity("1n")).isGreaterThan(quantity("1"))',
  'semver()': 'semver("1.2.3-alpha.1.2.3.4.5.6.7.8").isLessThan(semver("1.2.3"))',
  'ip()': 'ip("2001:db8:1:2:3:4:5:6").isGlobalUnicast()',
  'string(ip)': 'string(ip("2001:db8::1")) != ""',
  'cidr()': 'cidr("2001:db8::/32").containsIP("2001:db8::1")',
  'format.validate': '!format.dns1123Subdomain().validate("a-b.c-d.example.com").hasValue()',
  uuid: 'format.uuid().validate(short).hasValue()',
};

const environment = withVariables(createBaseEnvironment(), VARIABLES);

interface Measured {
  readonly name: string;
  readonly nanosecondsPerUnit: number;
  readonly units: number;
}

function measure(name: string, step: string): Measured {
  const source = `ints.all(x, ints.all(y, ints.all(z, ${step})))`;
  const compiled = compileExpression(environment, source);
  if (!compiled.ok) throw new Error(`${name}: ${JSON.stringify(compiled.diagnostics)}`);
  let best = { name, nanosecondsPerUnit: Infinity, units: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    let units = 0;
    const start = process.threadCpuUsage();
    // Several rules of a request, so that the clock's steps do not matter.
    for (let rule = 0; rule < MAX_REQUEST_COST / MAX_EXPRESSION_COST; rule += 1) {
      const meter = createCelMeter(MAX_EXPRESSION_COST);
      try {
        compiled.expression.evaluate(values, meter);
      } catch {
        // Errors end an evaluation as well as values.
      }
      units += MAX_EXPRESSION_COST - meter.remaining;
    }
    const { user, system } = process.threadCpuUsage(start);
    const nanosecondsPerUnit = ((user + system) * 1000) / units;
    if (nanosecondsPerUnit < best.nanosecondsPerUnit) best = { name, nanosecondsPerUnit, units };
  }
  return best;
}

const wanted = process.argv[2] ?? '';
const measured = Object.entries(STEPS)
  .filter(([name]) => name.includes(wanted))
  .map(([name, step]) => measure(name, step))
  .sort((a, b) => b.nanosecondsPerUnit - a.nanosecondsPerUnit);
console.log('| step | ns a unit | ms of a rule at its limit | ms of a request at its limit |');
console.log('| --- | --- | --- | --- |');
for (const { name, nanosecondsPerUnit } of measured) {
  const [rule, request] = [MAX_EXPRESSION_COST, MAX_REQUEST_COST].map((limit) =>
    ((nanosecondsPerUnit * limit) / 1e6).toFixed(1),
  );
  console.log(`| ${name} | ${nanosecondsPerUnit.toFixed(0)} | ${rule} | ${request} |`);
}
