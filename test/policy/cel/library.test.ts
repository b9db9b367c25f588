import assert from 'node:assert/strict';
import { codesOf, run, valueOf } from './support.ts';

interface Table {
  readonly holds: readonly string[];
  readonly fails: readonly string[];
}

const TABLES: Readonly<Record<string, Table>> = {
  url: {
    holds: [
      'url("https://user@example.com:80/a%20b/ü?x=1#f").getScheme() == "https"',
      'url("https://user@example.com:80/").getHost() == "example.com:80"',
      'url("https://user@example.com:80/").getHostname() == "example.com" && url("https://a:80/").getPort() == "80"',
      'url("https://[::1]:80/").getHostname() == "::1" && url("https://[::1]:80/").getHost() == "[::1]:80"',
      'url("https://example.com/with space/").getEscapedPath() == "/with%20space/"',
      'url("https://example.com/a%2fb").getEscapedPath() == "/a%2fb" && url("/ü").getEscapedPath() == "/%C3%BC"',
      'url("https://e.com/?a=1&b=2&a=3&c").getQuery() == {"a": ["1", "3"], "b": ["2"], "c": [""]}',
      'url("https://e.com/?a=x+y%2B&b;c=1&d=%zz").getQuery() == {"a": ["x y+"]}',
      'url("https://e.com").getEscapedPath() == "" && url("/absolute").getHost() == "" && url("/absolute").getScheme() == ""',
      'url("mailto:a@e.com").getScheme() == "mailto" && url("HTTPS://e.com").getScheme() == "https"',
      'url("https://e.com/a#b").getEscapedPath() == "/a" && url("https://e.com") == url("HTTPS://e.com")',
      'isURL("https://a.example:80/") && isURL("/path") && !isURL("") && !isURL("relative/path") && !isURL("https://a b/")',
      '!isURL("https://e.com:port/") && !isURL("https://e.com/%zz") && !isURL("://x") && !isURL("https://[::1/")',
      '!isURL("a\\nb:c") && isURL("https://%C3%BC/") && !isURL("https://a%41/")',
    ],
    fails: ['url("rel" + "ative").getHost() == ""', 'url("https://a:x" + "/").getHost() == ""'],
  },
  quantity: {
    holds: [
      'quantity("200M") == quantity("0.2G") && quantity("2M") == quantity("0.002G") && quantity("2000k") == quantity("2M")',
      'quantity("50M").isLessThan(quantity("50Mi")) && quantity("50Mi").isGreaterThan(quantity("50M"))',
      'quantity("200M").compareTo(quantity("0.2G")) == 0 && quantity("50M").compareTo(quantity("50Mi")) == -1',
      'quantity("50k").add(quantity("20")) == quantity("50.02k") && quantity("50k").add(20).isLessThan(quantity("50021"))',
      'quantity("50k").sub(quantity("20")) == quantity("49.98k") && quantity("50k").sub(20) == quantity("49980")',
      'quantity("50k").add(20).sub(quantity("100k")).asInteger() == -49980',
      'quantity("50k").add(20).sub(quantity("100k")).sub(-50000).asInteger() == 20 && quantity("50k").asInteger() == 50000',
      '!quantity("9999999999999999999999999999999999999G").isInteger() && quantity("50").isInteger()',
      'quantity("50.703k").asApproximateFloat() == 50703.0 && quantity("1500m").asApproximateFloat() == 1.5',
      'quantity("-1").sign() == -1 && quantity("0").sign() == 0 && quantity("1").sign() == 1',
      'isQuantity("20") && isQuantity("20M") && isQuantity("20Mi") && !isQuantity("20Mo") && !isQuantity("10Mm") && !isQuantity("")',
      'isQuantity("1e3") && isQuantity("1E3") && isQuantity("+1.5") && !isQuantity("1 ") && !isQuantity("Three") && !isQuantity("200K")',
      'quantity("1e3") == quantity("1k") && quantity("1.5Gi").compareTo(quantity("1536Mi")) == 0',
      '[quantity("9999999999999999999999999999999999999")].all(x, x.add(quantity("1")).compareTo(x.add(quantity("2"))) == -1)',
      'quantity("0.0000000001") == quantity("1n") && quantity("-0.0000000001") == quantity("-1n")',
      '!quantity("0.5").isInteger() && !quantity("1.5Gi").isInteger() && quantity("8Ei") == quantity("9223372036854775807")',
      '!isQuantity("1e99999") && type(quantity("1")) != type(1)',
    ],
    fails: [
      'quantity("10M" + "o") == quantity("1")',
      'quantity("0.5").asInteger() == 0',
      'quantity("9e30").asInteger() == 0',
    ],
  },
  semver: {
    holds: [
      'semver("1.2.3").major() == 1 && semver("1.2.3").minor() == 2 && semver("1.2.3").patch() == 3',
      'isSemver("1.2.3-beta.1+build.1") && !isSemver("") && !isSemver("v1.0.0") && !isSemver(" 1.0.0") && !isSemver("1.0.0 ")',
      '!isSemver("1. 0.0") && !isSemver("01.01.01") && !isSemver("1") && !isSemver("1.1") && !isSemver("1.0.0-01") && !isSemver("1.0.0-a..b")',
      '!isSemver("", true) && isSemver("v1.0.0", true) && isSemver("01.01.01", true) && isSemver("1", true) && isSemver("1.1", true)',
      '!isSemver("1. 0.0", true) && !isSemver("1.0.0 ", true) && !isSemver("1-a", true) && isSemver("1.0.0-a.b.c", true)',
      'semver("v01.01", true) == semver("1.1.0") && semver("1.2.3") == semver("1.2.3+build") && semver("1.2.3") != semver("1.0.0")',
      'semver("1.0.0").isLessThan(semver("1.2.3")) && !semver("1.0.0").isLessThan(semver("1.0.0"))',
      'semver("1.2.3").isGreaterThan(semver("1.0.0")) && semver("1.2.3").compareTo(semver("1.2.3")) == 0',
      '["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1"].all(i, v, i == 0 || semver(v).isGreaterThan(semver("1.0.0-alpha")))',
      'semver("1.0.0-beta.11").isGreaterThan(semver("1.0.0-beta.2")) && semver("1.0.0").isGreaterThan(semver("1.0.0-rc.1"))',
      'semver("1.0.0-1").isLessThan(semver("1.0.0-a")) && semver("1.0.0-a").isLessThan(semver("1.0.0-a.1"))',
      '!isSemver("99999999999999999999.0.0")',
    ],
    fails: ['semver("v1" + ".0") == semver("1.0.0")'],
  },
  ip: {
    holds: [
      'ip("192.168.0.1").family() == 4 && ip("::1").family() == 6 && ip("::1") == ip("0:0:0:0:0:0:0:1")',
      'isIP("127.0.0.1") && !isIP("127.0.0.256") && !isIP("01.2.3.4") && !isIP("1.2.3") && !isIP("1.2.3.4.5") && !isIP("")',
      'isIP("2001:db8::68") && !isIP("2001:db8:::68") && !isIP("fe80::1%en0") && !isIP("::ffff:192.168.0.1") && !isIP("1::2::3")',
      'isIP("::1.2.3.4") && !isIP("1.2.3.4::") && !isIP("::1.2.3.4:5") && !isIP("1:2:3:4:5:6:7::8:9") && !isIP("1:2:3:4:5:6:7:8::") && !isIP(":1")',
      'ip.isCanonical("127.0.0.1") && !ip.isCanonical("2001:DB8::68") && ip.isCanonical("2001:db8::abcd")',
      'string(ip("2001:db8:0:0:1:0:0:1")) == "2001:db8::1:0:0:1" && string(ip("::")) == "::" && string(ip("0:1:0:0:0:0:0:0")) == "0:1::"',
      'string(ip("1:0:2:0:3:0:4:0")) == "1:0:2:0:3:0:4:0" && string(ip("10.0.0.1")) == "10.0.0.1"',
      'ip("0.0.0.0").isUnspecified() && ip("::").isUnspecified() && ip("127.0.0.1").isLoopback() && ip("::1").isLoopback()',
      'ip("224.0.0.1").isLinkLocalMulticast() && !ip("224.0.1.1").isLinkLocalMulticast() && ip("ff02::1").isLinkLocalMulticast()',
      'ip("169.254.1.1").isLinkLocalUnicast() && ip("fe80::1").isLinkLocalUnicast() && !ip("fd80::1").isLinkLocalUnicast()',
      'ip("192.168.0.1").isGlobalUnicast() && !ip("255.255.255.255").isGlobalUnicast() && !ip("ff00::1").isGlobalUnicast()',
      '["10.0.0.1"].all(ip, ip == "10.0.0.1")',
    ],
    fails: ['ip("192.168.0.1" + ".0") == ip("::")', 'ip.isCanonical("x")'],
  },
  cidr: {
    holds: [
      'cidr("192.168.0.0/24").containsIP(ip("192.168.0.1")) && !cidr("192.168.0.0/24").containsIP("192.168.1.1")',
      'cidr("192.168.0.0/24").containsCIDR(cidr("192.168.0.0/25")) && !cidr("192.168.0.0/24").containsCIDR("192.168.0.0/23")',
      'cidr("10.0.0.0/8").containsCIDR("10.0.0.0/8") && !cidr("2001:db8::/32").containsIP("192.168.1.1")',
      'cidr("192.168.0.1/24").masked() == cidr("192.168.0.0/24") && cidr("192.168.0.0/24").prefixLength() == 24',
      'cidr("192.168.0.1/24").ip() == ip("192.168.0.1") && string(cidr("2001:DB8::/32")) == "2001:db8::/32"',
      'isCIDR("::/0") && !isCIDR("10.0.0.0/33") && !isCIDR("10.0.0.0/") && !isCIDR("10.0.0.0/08") && !isCIDR("::ffff:1.2.3.4/96")',
      'cidr("0.0.0.0/0").containsIP("255.255.255.255") && !isCIDR("10.0.0.0") && cidr("::/0").containsIP("::1")',
    ],
    fails: ['cidr("192.168.0.0" + "/") == cidr("::/0")', 'cidr("10.0.0.0/8").containsIP("x")'],
  },
  sets: {
    holds: [
      'sets.contains([1, 2, 3], [2, 3]) && !sets.contains([1], [1, 2]) && sets.contains([], []) && sets.contains([1], [1, 1])',
      'sets.equivalent([1, 2], [2, 1, 1]) && !sets.equivalent([1], [1, 2]) && sets.equivalent([], [])',
      'sets.intersects([1, 2], [2, 3]) && !sets.intersects([1], []) && sets.intersects([1], object.list)',
      'sets.contains([[1], [2]], [[2]]) && sets.contains(signatures[0].timeSources, ["tsa"])',
    ],
    fails: ['sets.contains([object.deep], [object.deep])'],
  },
  format: {
    holds: [
      '"%s is %d".format(["a", 1]) == "a is 1" && "100%%".format([]) == "100%" && "%s".format([[1, 2]]) == "[1, 2]"',
      '"%.2f %e %b %o %x %X".format([1.005, 1234.5, 5, 8, 255, "hi"]) == "1.00 1.234500e+03 101 10 ff 6869"',
      '"%.0f %.0f %.1f %.1f".format([0.5, 1.5, 8.35, 0.25]) == "0 2 8.3 0.2"',
      '"%s".format([{"b": [true, null], "a": duration("90s")}]) == "{a: 90s, b: [true, null]}"',
      '"%s %s".format([now, 1e30]) == "2026-01-01T00:00:00Z 1000000000000000000000000000000" && "%d".format([0.000001]) == "0.000001"',
      'strings.quote("a\\"b\\n") == "\\"a\\\\\\"b\\\\n\\"" && "😀b".reverse() == "b😀"',
    ],
    fails: [
      '"%d".format(["a"]) == ""',
      '"%s".format([]) == ""',
      '"%y".format([1]) == ""',
      '"%".format([1]) == ""',
      '"%.101f".format([1.0]) == ""',
    ],
  },
  'named formats': {
    holds: [
      '!format.dns1123Label().validate("my-name").hasValue() && format.dns1123Label().validate("My").hasValue()',
      'format.named("dns1123Subdomain").value().validate("a..b").value().size() == 1 && !format.named("nothing").hasValue()',
      '!format.qualifiedName().validate("example.com/name").hasValue() && format.qualifiedName().validate("a/b/c").hasValue()',
      '!format.dns1035LabelPrefix().validate("abc-").hasValue() && format.dns1035Label().validate("1a").hasValue()',
      '!format.labelValue().validate("").hasValue() && format.labelValue().validate("-a").hasValue()',
      '!format.uuid().validate("123e4567-e89b-12d3-a456-426614174000").hasValue() && format.uuid().validate("x").hasValue()',
      '!format.byte().validate("aGVsbG8=").hasValue() && format.byte().validate("a").hasValue()',
      '!format.date().validate("2024-02-29").hasValue() && format.date().validate("2023-02-29").hasValue()',
      '!format.datetime().validate("2021-01-01T00:00:00Z").hasValue() && !format.uri().validate("http://example.com").hasValue()',
    ],
    fails: [],
  },
  optionals: {
    holds: [
      'optional.ofNonZeroValue("").orValue("x") == "x" && optional.ofNonZeroValue(5).value() == 5 && !optional.ofNonZeroValue(null).hasValue()',
      'object.?count.optMap(c, c + 1).orValue(0) == 4 && !object.?absent.optMap(c, c + 1).hasValue()',
      'model.?mediaType.optMap(m, m.startsWith("application/")).orValue(false)',
      'pod.?metadata.optFlatMap(m, m.?labels).optFlatMap(l, l.?team).orValue("") == "red"',
      'object.list[?5].orValue(0) == 0 && object.list[?0].value() == 1 && {"a": 1}[?"b"].or(optional.of(2)).value() == 2',
      '[?optional.of(1), ?optional.none(), 3] == [1, 3] && {?"a": optional.of(1), ?"b": optional.none()} == {"a": 1}',
      '[?object.?count].size() == 1 && [?object.?absent].size() == 0 && [1, ?true ? optional.of(2) : optional.none()] == [1, 2]',
      '["\\"", ?optional.of("a")] == ["\\"", "a"] && ["a]", ?optional.of("b")] == ["a]", "b"]',
      '["a?b", ?optional.of("c")] == ["a?b", "c"] && [object.list[?0]][0].hasValue() && (3 in [?optional.of(3)])',
      'optional.unwrap([optional.of(1), optional.none()]) == [1] && [optional.of(1)].unwrapOpt() == [1]',
      '[1, 2].first().value() == 1 && [1, 2].last().value() == 2 && ![].first().hasValue()',
      'optional.of(1) == optional.of(1) && optional.of(1) != optional.of(2) && optional.none() == optional.none()',
    ],
    fails: ['optional.none().value() == 1', 'object.?absent.value() == 1', '[?dyn(1)] == [1]'],
  },
  lists: {
    holds: [
      '[3, 1, 2].sort() == [1, 2, 3] && [1, 2].reverse() == [2, 1] && [1, 1, 2].distinct() == [1, 2]',
      '[1, 2, 3].slice(1, 2) == [2] && [[1], [2]].flatten() == [1, 2] && [[[1]]].flatten(2) == [1] && lists.range(3) == [0, 1, 2]',
      '[[1], [2]].indexOf([2]) == 1 && [1, 2, 1].lastIndexOf(1) == 2 && [1u, 2u].sum() == 3u',
      '["😀", "\\uffff"].min() == "\\uffff" && "\\uffff" < "😀" && b"a" < b"b"',
    ],
    fails: ['[1].slice(0, 2) == [1]', '[1].slice(-1, 0) == []'],
  },
  'two-variable comprehensions': {
    holds: [
      '[1, 2].transformList(i, v, i + v) == [1, 3] && [1, 2].transformList(i, v, i > 0, v) == [2]',
      '{"a": 1}.transformMap(k, v, k + string(v)) == {"a": "a1"} && {"a": 1, "b": 2}.transformMap(k, v, v > 1, v) == {"b": 2}',
      '["a", "b"].transformMapEntry(i, v, {v: i}) == {"a": 0, "b": 1} && {"a": 1}.exists_one(k, v, v == 1)',
    ],
    fails: ['["a", "a"].transformMapEntry(i, v, {v: i}).size() == 1', '[0].transformList(i, v, 1 / v) == []'],
  },
  equality: {
    holds: [
      '[dyn(1), dyn(2u)] == [dyn(1.0), dyn(2)] && dyn(3u) in [3] && {"a": dyn(1)} == {"a": dyn(1u)}',
      'dyn(1) != dyn("1") && dyn(now) == dyn(now) && dyn(b"a") == dyn(b"a") && !(double("nan") == double("nan"))',
      'dyn(9223372036854775807) == dyn(9223372036854775808.0) && type(1) == int && dyn(quantity("1")) != dyn(1)',
    ],
    fails: [],
  },
};

describe('the Kubernetes library', () => {
  for (const [name, { holds, fails }] of Object.entries(TABLES)) {
    for (const source of holds) {
      it(`${name}: holds ${source.slice(0, 90)}`, () => {
        assert.deepEqual(run(source), { ok: true, value: true });
      });
    }
    for (const source of fails) {
      it(`${name}: fails on ${source}`, () => {
        assert.equal(valueOf(source), 'error');
      });
    }
  }

  const refusals: readonly (readonly [string, string])[] = [
    ['[?1] == [1]', 'optional_expected'],
    ['[?] == []', 'unexpected_token'],
    ['optional.of(?1).hasValue()', 'unexpected_token'],
    ['[1].filter(x, ?true) == [1]', 'unexpected_token'],
    ['[?optional.of(1), "a"].size() == 2', 'heterogeneous_list_element'],
    ['{?"a": optional.of(1), "b": "c"}.size() == 2', 'heterogeneous_map_value'],
    ['has(object["a"])', 'invalid_macro_argument'],
    ['has(object.list[0])', 'invalid_macro_argument'],
    ['has(object)', 'invalid_macro_argument'],
    ['has(size("a"))', 'invalid_macro_argument'],
    ['"a".all(i, v, true)', 'invalid_comprehension_range'],
    ['[1].all("i", v, true)', 'invalid_macro_argument'],
    ['[1].all(i, v.x, true)', 'invalid_macro_argument'],
    ['[1].all(i, v, 1)', 'invalid_condition_type'],
    ['has("a".b)', 'cannot_index_type'],
    ['has(model.?reference.tga)', 'no_such_key'],
    ['object.list[?0, ?1] == 1', 'expected_token'],
    ['1.optMap(x, x).hasValue()', 'optional_expected'],
    ['optional.of(1).optFlatMap(x, x).hasValue()', 'optional_expected'],
    ['optional.of(1).optMap(1, 2).hasValue()', 'invalid_macro_argument'],
    ['sets.contains([1], ["a"])', 'no_matching_overload'],
    ['isQuantity([1, 2, 3])', 'no_matching_overload'],
    ['isIP(cidr("192.168.0.0/24"))', 'no_matching_overload'],
    ['"%d".format(1) == ""', 'no_matching_overload'],
    ['[1, 2].transformMapEntry(i, v, v) == {}', 'invalid_macro_argument'],
    ['sets == 1', 'no_such_overload'],
    ['format.secret() == 1', 'unknown_function'],
    ['ip("::1") < ip("::2")', 'no_such_overload'],
  ];
  for (const [source, code] of refusals) {
    it(`refuses ${source}`, () => {
      assert.equal(codesOf(source)[0], code);
    });
  }
});
