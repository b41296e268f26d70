import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EntryHead, mapHeadsInParts, parseLines } from '../../src/protocol/index-lines.ts'
import { between, pick, type Random, randomFrom } from '../support/random.ts'
import { leastOf, workTime } from '../support/work-time.ts'

const options = { name: 'foo', oldGrammar: true, requireFinalNewline: true }

function headsOf(body: string): EntryHead[] {
  const parts = mapHeadsInParts(body, options, (head) => head)
  for (;;) {
    const part = parts.next()
    if (part.done) return part.value
  }
}

const FIELDS = ['name', 'vers', 'cksum', 'yanked', 'links', 'rust_version', 'pubtime', 'v'] as const

/** What becomes of an index file: its heads, or the error. */
function outcome(read: () => readonly EntryHead[]): unknown {
  try {
    return read().map((entry) => FIELDS.map((field) => entry[field]))
  } catch (error) {
    return String(error)
  }
}

function mustAgree(body: string): unknown {
  const whole = outcome(() => parseLines(body, options))
  assert.deepEqual(
    outcome(() => headsOf(body)),
    whole,
    body,
  )
  return whole
}

const LINE = [
  '{"name": "foo", "vers": "V", "deps": [',
  '{"name": "bar", "req": "^1", "features": ["a"], "optional": false, "default_features": true, "target": null, "kind": "normal"}, ',
  '{"name": "qux", "req": "~2.1", "features": [], "target": "cfg(unix)", "kind": "dev"}], ',
  `"cksum": "${'0f'.repeat(32)}", "features": {"default": ["std"], "std": [], "more": ["bar/a", "dep:qux"]}, `,
  '"features2": {"later": ["dep:qux"]}, "yanked": false, "links": "z", "pubtime": "2026-01-31T12:00:00Z", "v": 2}',
].join('')

/** Lines of the same crate, spaced as some registries do and as others do. */
function fileOf(...lines: readonly string[]): string {
  return lines.map((line, i) => `${line.replace('"V"', `"1.0.${i}"`)}\n`).join('')
}

const tight = (line: string) => line.replaceAll(/([:,]) (?=["[{]|\w)/g, '$1')

test('mapHeadsInParts() reads the heads that parseLines() reads, however lines are spaced', () => {
  const empty = LINE.replace(/"deps": \[.*?\], "ck/, '"deps": [], "ck').replace(/(s2?": )\{.*?\}/g, '$1{}')
  const body = fileOf(
    LINE,
    tight(LINE),
    LINE,
    empty,
    tight(empty),
    LINE,
    LINE.replace(/ "features2".*?\},/, ''),
  )
  const heads = mustAgree(body)
  assert.ok(Array.isArray(heads))
  assert.equal(heads.length, 7)
})

test('mapHeadsInParts() refuses what parseLines() refuses, in a line that repeats others too', () => {
  const changes: readonly (readonly [part: string, by: string])[] = [
    ['"optional": false', '"optional": 0'],
    ['"optional": false', '"optional": false, "req": "^2"'],
    ['"kind": "dev"}]', '"kind": "dev"}, {}]'],
    ['"kind": "dev"}]', '"kind": "dev"}, 1]'],
    ['"kind": "dev"}]', '"kind": "dev"},]'],
    ['"kind": "dev"}]', '"kind": "dev"}}]'],
    ['"kind": "dev"}]', '"kind": "dev"} {"name": "x", "req": "*"}]'],
    ['"kind": "dev"}', '"kind": "dev", "cksum": [], "later": {}}'],
    ['"kind": "dev"}', '"kind": "}], \\"cksum\\": \\"x"}'],
    ['"deps": [', '"deps": [], "deps": ['],
    ['"deps": [', '"later": "\\"deps\\": [", "deps": ['],
    ['"cksum": "0f', '"cksum": "0F'],
    ['"std": []', '"std": [], "std": []'],
    ['"std": []', '"std": [],  "std": []'],
    ['"std": []', '"std": [], "st\\u0064": []'],
    ['"std": []', '"std": [1]'],
    ['"std": []', '"std": ["]"]'],
    ['"std": []', '"std": {}'],
    ['"std": []', '"std": [], "": []'],
    ['"std": []', '"std": [], "__proto__": []'],
    ['"std": []', '"std": [], "7": [], "7": []'],
    ['"later": ["dep:qux"]', '"later": ["dep:qux"], "later": ["dep:qux"]'],
    ['"later": ["dep:qux"]}', '"later": ["dep:qux"]}, "features": {}'],
    ['"later": ["dep:qux"]}', '"later": ["dep:qux"]}, "features2": null'],
    ['"later": ["dep:qux"]}', '"later": ["dep:qux"]'],
    ['"yanked": false', '"yanked": false, "yanked": true'],
    ['"name": "foo"', '"name": "f\\u006fo"'],
    ['"name": "foo"', '"name": "qux"'],
  ]
  let refused = 0
  for (const [part, by] of changes) {
    for (const spaced of [(line: string) => line, tight]) {
      const changed = spaced(LINE).replace(spaced(part), spaced(by))
      assert.notEqual(changed, spaced(LINE), part)
      for (const lines of [[changed], [spaced(LINE), changed], [changed, changed], [changed, LINE, changed]])
        if (typeof mustAgree(fileOf(...lines)) === 'string') refused += 1
    }
  }
  assert.ok(refused > 100, String(refused))
})

test('mapHeadsInParts() agrees with parseLines() about lines that were damaged in any way', () => {
  const random = randomFrom(7)
  let [valid, refused] = [0, 0]
  for (let round = 0; round < 6_000; round++) {
    const lines = Array.from({ length: 3 }, () => (random() < 0.5 ? LINE : tight(LINE)))
    const at = between(random, 0, lines.length)
    for (let n = between(random, 1, 3); n > 0; n--) lines[at] = damaged(lines[at] ?? '', random)
    if (random() < 0.3) lines.push(lines[at] ?? '')
    if (typeof mustAgree(fileOf(...lines)) === 'string') refused += 1
    else valid += 1
  }
  assert.ok(valid > 300 && refused > 300, `${valid} valid, ${refused} refused`)
})

test('mapHeadsInParts() needs no longer for many long parts than their length tells', async () => {
  const dep = (i: number) => LINE.replace('cfg(unix)', 'x'.repeat(17_000) + String(i).padStart(6, '0'))
  const bodyOf = (lines: number) => fileOf(...Array.from({ length: lines }, (_, i) => dep(i)))
  const [few, many] = [bodyOf(150), bodyOf(1_200)]
  const worked = (body: string) => {
    const work = workTime()
    headsOf(body)
    return work()
  }
  const least = await leastOf(3, async () => ({ few: worked(few), many: worked(many) }))
  assert.ok(least.many < 20 * least.few, `${least.few} ms and ${least.many} ms`)
})

/** A line with a piece gone, doubled, moved, or changed. */
function damaged(line: string, random: Random): string {
  const from = between(random, 0, line.length)
  const to = from + between(random, 0, 40)
  const piece = line.slice(from, to)
  const other = between(random, 0, line.length)
  switch (between(random, 0, 4)) {
    case 0:
      return line.slice(0, from) + line.slice(to)
    case 1:
      return line.slice(0, from) + piece + line.slice(from)
    case 2:
      return line.slice(0, other) + piece + line.slice(other)
    default:
      return (
        line.slice(0, from) +
        pick(random, ['"', '}', ']', '{', '[', ',', ':', '\\', ' ', '0', 'é']) +
        line.slice(from + between(random, 0, 2))
      )
  }
}
