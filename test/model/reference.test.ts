// Is every reference read in one way, and refused when two readers could differ?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  MAX_REFERENCE_CHARS,
  parseReference,
  parseRegistry,
  toCanonicalName,
  type ShortNames,
} from '../../src/model/reference.ts';

const HEX = 'a'.repeat(64);
const DIGEST = `sha256:${HEX}`;

function read(text: string, shortNames?: ShortNames): string {
  const result = parseReference(text, shortNames);
  if (!result.ok) return `refused: ${result.problem}`;
  const { tag, digest, original } = result.reference;
  assert.equal(original, text);
  return `${toCanonicalName(result.reference)}|${tag ?? ''}|${digest ?? ''}`;
}

describe('parseReference()', () => {
  const good: readonly (readonly [string, string])[] = [
    ['reg.example/m', 'reg.example/m||'],
    ['reg.example/a/b/c:v1', 'reg.example/a/b/c|v1|'],
    [`reg.example/m@${DIGEST}`, `reg.example/m||${DIGEST}`],
    [`reg.example/m:v1@${DIGEST}`, `reg.example/m|v1|${DIGEST}`],
    [`reg.example/m@sha512:${HEX}${HEX}`, `reg.example/m||sha512:${HEX}${HEX}`],
    ['REG.Example/m', 'reg.example/m||'],
    ['reg.example:443/m', 'reg.example/m||'],
    ['reg.example:5000/m:5000', 'reg.example:5000/m|5000|'],
    ['reg.example:80/m', 'reg.example:80/m||'],
    ['localhost/m', 'localhost/m||'],
    ['LOCALHOST/m', 'localhost/m||'],
    ['localhost:5000/m', 'localhost:5000/m||'],
    ['reg:5000/m', 'reg:5000/m||'],
    ['docker.io/m', 'docker.io/library/m||'],
    ['docker.io/library/m', 'docker.io/library/m||'],
    ['index.docker.io/a/b', 'docker.io/a/b||'],
    ['registry-1.docker.io/a/b', 'docker.io/a/b||'],
    ['Index.Docker.IO:443/m', 'docker.io/library/m||'],
    ['127.0.0.1:5000/m', '127.0.0.1:5000/m||'],
    ['[::1]:5000/m', '[::1]:5000/m||'],
    ['[FE80::1]/m', '[fe80::1]/m||'],
    ['reg.example/a__b/c--d/e.f_g', 'reg.example/a__b/c--d/e.f_g||'],
    [`reg.example/m:${'t'.repeat(128)}`, `reg.example/m|${'t'.repeat(128)}|`],
    ['reg.example/m:_x', 'reg.example/m|_x|'],
    ['xn--bcher-kva.example/m', 'xn--bcher-kva.example/m||'],
  ];
  for (const [text, expected] of good) {
    it(`reads ${text.slice(0, 50)}`, () => assert.equal(read(text), expected));
  }

  const short: readonly (readonly [string, string])[] = [
    ['m', 'docker.io/library/m||'],
    ['a/b:v1', 'docker.io/a/b|v1|'],
    [`m@${DIGEST}`, `docker.io/library/m||${DIGEST}`],
    ['2130706433/m', 'docker.io/2130706433/m||'],
  ];
  for (const [text, expected] of short) {
    it(`reads the short name ${text.slice(0, 20)} only on demand`, () => {
      assert.match(read(text), /names no registry/);
      assert.equal(read(text, 'DockerHub'), expected);
    });
  }

  const ugly: readonly string[] = [
    '',
    '/',
    '//',
    ':',
    '@',
    'reg.example/',
    'reg.example//m',
    '/reg.example/m',
    'reg.example/m/',
    'reg.example/m:',
    'reg.example/m@',
    'reg.example/:v1',
    'reg.example/m:v1:v2',
    `reg.example/m@${DIGEST}@${DIGEST}`,
    `reg.example/m@${DIGEST}:v1`,
    `reg.example/m@${DIGEST} `,
    `reg.example/m@${DIGEST}\n`,
    `reg.example/m@sha256:${HEX.toUpperCase()}`,
    `reg.example/m@SHA256:${HEX}`,
    'reg.example/m@sha256:abc',
    `reg.example/m@sha384:${'a'.repeat(96)}`,
    `reg.example@${DIGEST}/m`,
    ' reg.example/m',
    'reg.example/m ',
    'reg.example/m\n',
    'reg.example/m\u0000',
    '\treg.example/m',
    'reg.example/M',
    'reg.example/m:é',
    'reg.example/m:-x',
    'reg.example/m:.x',
    `reg.example/m:${'t'.repeat(129)}`,
    'reg.example/./m',
    'reg.example/../m',
    'reg.example/a/../b',
    'reg.example/_m',
    'reg.example/m_',
    'reg.example/a___b',
    'reg.example/a..b',
    'reg.example/a._b',
    'reg.example/a%2fb',
    'reg.example%2fa/b',
    'reg.example/m%00',
    'reg.example/m?x=y',
    'reg.example/m#x',
    'reg.example\\m/x',
    'reg.example/a\\b',
    'reg.example./m',
    '.reg.example/m',
    'reg..example/m',
    '-reg.example/m',
    'reg-.example/m',
    'reg_x.example/m',
    'reg.example:/m',
    'reg.example:0/m',
    'reg.example:65536/m',
    'reg.example:99999/m',
    'reg.example:100000/m',
    'reg.example:-1/m',
    'reg.example:443:443/m',
    'reg.example:４４３/m',
    'user@reg.example/m',
    'user:pass@reg.example/m',
    'https://reg.example/m',
    'oci://reg.example/m',
    '[::1/m',
    '::1/m',
    '[]/m',
    '[::1]x/m',
    '[::1%25lo]/m',
    '[::1%lo]/m',
    '[::1]]/m',
    '[g::1]/m',
    'rég.example/m',
    'reg.example。evil/m',
    'ｒeg.example/m',
    'reg.exampl\u0435/m',
    'reg.example/m\u200b',
    'reg.example\u3002test/m',
    'reg.ex\u00adample/m',
    'REG.EXAMPLE/ſ',
    `${'a'.repeat(64)}.example/m`,
    `${'a.'.repeat(127)}example/m`,
    `reg.example/${'a'.repeat(256)}`,
    `reg.example/${'a'.repeat(10_000)}`,
    `${'a/'.repeat(5000)}a`,
    'reg.example/$(X)',
  ];
  for (const text of ugly) {
    it(`refuses ${JSON.stringify(text).slice(0, 60)}`, () => {
      for (const shortNames of ['Deny', 'DockerHub'] as const)
        assert.match(read(text, shortNames), /^refused: ./, read(text, shortNames));
    });
  }

  for (const host of ['1.2.3.4.5', '1.2.3', '0x7f.1', '127.1', '01.2.3.4', '256.1.1.1', 'a.0'])
    it(`refuses the host ${host}, which URL parsers read as another`, () => {
      assert.match(read(`${host}/m`, 'Deny'), /^refused: /);
    });

  it('reads an IPv4 address', () => {
    assert.match(read('10.1.2.3:5000/m', 'Deny'), /^10\.1\.2\.3:5000/);
  });

  it('needs a tag or slash to tell a registry from a name', () => {
    assert.equal(read('reg.example', 'Deny'), 'refused: it names no registry');
    assert.equal(read('reg.example:443', 'Deny'), 'refused: it names no registry');
  });

  it('reads what it writes in the same way: the canonical form is a fixed point', () => {
    const label = fc.stringMatching(/^[a-zA-Z0-9]{1,5}$/);
    const host = fc
      .tuple(label, fc.stringMatching(/^[a-zA-Z]{1,5}$/), fc.constantFrom('', ':443', ':5000'))
      .map(([a, b, p]) => `${a}.${b}${p}`);
    const path = fc.array(fc.stringMatching(/^[a-z0-9]{1,4}(?:[._-][a-z0-9]{1,3})?$/), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(
        host,
        path,
        fc.constantFrom('', ':v1', `@${DIGEST}`, `:v1@${DIGEST}`),
        (registry, parts, end) => {
          const first = parseReference(`${registry}/${parts.join('/')}${end}`);
          assert.ok(first.ok);
          const again = parseReference(`${toCanonicalName(first.reference)}${end}`);
          assert.ok(again.ok);
          assert.equal(toCanonicalName(again.reference), toCanonicalName(first.reference));
          assert.equal(again.reference.digest, first.reference.digest);
          assert.equal(again.reference.tag, first.reference.tag);
        },
      ),
    );
  });

  it('never throws, and never lets a character through that a path or header could misread', () => {
    const unit = fc.constantFrom(...'ab.:/@-_%[]A0 \n$'.split(''), 'sha256:', HEX, 'é', '\u0000');
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 20 }),
        fc.constantFrom('Deny', 'DockerHub'),
        (text, shortNames) => {
          const result = parseReference(text, shortNames);
          if (!result.ok) return;
          const { registry, repository, tag = '' } = result.reference;
          assert.match(
            `${registry}/${repository}:${tag}`,
            /^[a-z0-9.:[\]-]+\/[a-z0-9._/-]+:[A-Za-z0-9_.-]*$/,
          );
          assert.equal(new URL(`https://${registry}/v2/${repository}/x`).pathname, `/v2/${repository}/x`);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('refuses long text without looking at it', () => {
    assert.match(read('a/'.repeat(5_000_000)), new RegExp(`longer than ${MAX_REFERENCE_CHARS}`));
  });

  it('takes no exponential time on components that nearly match', () => {
    for (const piece of ['a-', 'a_', 'a.', 'a', '-', 'a--'])
      read(`reg.example/${piece.repeat(700).slice(0, 250)}!`);
  });
});

describe('parseRegistry()', () => {
  for (const text of ['reg.example:0443/m', 'reg.example:00000443/m', 'reg.example:443/m'])
    it(`takes ${text} for what other readers take it for`, () => {
      const result = parseReference(text);
      assert.equal(result.ok && result.reference.registry, 'reg.example');
    });

  it('lower-cases, drops 443 and knows the names of Docker Hub', () => {
    assert.equal(parseRegistry('GHCR.io'), 'ghcr.io');
    assert.equal(parseRegistry('ghcr.io:443'), 'ghcr.io');
    assert.equal(parseRegistry('index.docker.io'), 'docker.io');
    assert.equal(parseRegistry('docker.io:5000'), 'docker.io:5000');
    for (const text of ['', 'a/b', 'a:b', 'a b', 'a.', '*', 'http://a'])
      assert.equal(parseRegistry(text), undefined, text);
  });
});
