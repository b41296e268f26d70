import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CatalogueEntry } from '../../src/registry/catalogue/entry.ts'
import { eachSlot, levelOf, rowsOf } from '../../src/registry/catalogue/matches.ts'
import { matchingRows } from '../../src/registry/catalogue/query.ts'
import { type CrateTable, createCrateTable } from '../../src/registry/catalogue/table.ts'
import { between, pick, randomFrom } from '../support/random.ts'
import { leastOf, workTime } from '../support/work-time.ts'

const ALL = { isVisible: () => true }
const noFailure = (error: unknown) => assert.fail(String(error))

function entry(name: string, n: number, more: Partial<CatalogueEntry> = {}): CatalogueEntry {
  const time = '2026-01-01T00:00:00Z'
  const fields = { name, n, max_version: `1.${n}.0`, description: `of ${name}`, keywords: [] }
  return { ...fields, created: time, updated: time, ...more }
}

async function find(table: CrateTable, term: string): Promise<readonly string[]> {
  const { rows } = rowsOf(await matchingRows(table, { terms: [term] }, ALL, async () => {}))
  return Array.from(rows, table.spellingOf).sort()
}

test('put() and find agree with a plain map, whatever changes in whatever order', async (t) => {
  const table = createCrateTable(noFailure, 64)
  t.after(table.close)
  const plain = new Map<string, CatalogueEntry>()
  const random = randomFrom(7)
  const words = ['älpha', 'beta', 'gamma-x', 'Delta']
  for (let turn = 0; turn < 6000; turn++) {
    const name = `${pick(random, ['Foo', 'bar', 'b-a_z'])}${between(random, 0, 700)}`
    const n = between(random, 1, 40)
    const one = entry(name, n, {
      description: pick(random, words),
      keywords: [pick(random, words)],
      deps: [`d${between(random, 0, 5)}`],
      ...(random() < 0.1 && { gone: true }),
    })
    const isNews = (plain.get(name)?.n ?? 0) < n
    assert.equal(table.put(one), isNews)
    if (isNews) plain.set(name, one)
  }
  const there = [...plain.values()].filter(({ gone }) => !gone)
  assert.deepEqual([table.rows, table.size], [plain.size, there.length])
  for (const term of ['älpha', 'GAMMA_x', 'foo1', 'b_a', 'delta']) {
    const folded = term.toLowerCase()
    const wanted = there
      .filter(({ name, description, keywords }) =>
        [name, description, ...keywords].some((text) =>
          text.toLowerCase().replaceAll('-', '_').includes(folded),
        ),
      )
      .map(({ name }) => name)
    assert.deepEqual(await find(table, term), wanted.sort(), term)
  }
  const { rows } = rowsOf(await matchingRows(table, { dependency: 'd3' }, ALL, async () => {}))
  const dependents = there.filter(({ deps }) => deps?.includes('d3')).map(({ name }) => name)
  assert.deepEqual(Array.from(rows, table.spellingOf).sort(), dependents.sort())
  for (const [name, one] of plain) {
    const row = table.rowOf(name) ?? assert.fail(name)
    assert.deepEqual(await table.entriesOf([row]), [one])
  }
})

test('a block closes in parts while entries are put; searches find the same meanwhile, and what is hidden stays so', async (t) => {
  const size = 64
  // How many entries of the block count no longer when it closes, how many change meanwhile, and what is left of it: when so
  // many have moved that the others do so too, that is before it is closed.
  for (const [stale, changed, left] of [
    [0, 0, 64],
    [0, 7, 63],
    [25, 3, 38],
    [25, 9, 0],
  ] as const) {
    const table = createCrateTable(noFailure, size)
    t.after(table.close)
    const there = new Set<string>()
    const put = (name: string, n: number, gone = false) => {
      table.put(entry(name, n, gone ? { gone } : {}))
      if (gone) there.delete(name)
      else there.add(name)
    }
    for (let i = 0; i < stale; i++) put(`first-${i}`, 1)
    for (let i = stale; i < size; i++) put(`first-${(i * 37) % (size - stale)}`, i + 1)
    const [full] = table.blocks
    const states = new Set<boolean | undefined>()
    for (let i = 0; i < 30; i++) {
      if (i < changed) put(`first-${i}`, 100, i % 3 === 0)
      else put(`second-${i}`, 1)
      states.add(table.blocks[0]?.isInOrder)
      for (const term of ['first', 'first_1', 'rst_2', 'second_', '3'])
        assert.deepEqual(
          await find(table, term),
          [...there].filter((name) => name.replace('-', '_').includes(term)).sort(),
        )
    }
    for (const name of there) assert.equal(table.nameOf(table.rowOf(name) ?? -1), name.replace('-', '_'))
    assert.deepEqual([...states], [false, true])
    assert.notEqual(table.blocks[0], full)
    assert.equal(table.blocks[0]?.size, left)
  }
})

test('no entry waits for most of the work that closing a block takes', async (t) => {
  const most = await leastOf(5, async () => {
    const table = createCrateTable(noFailure)
    t.after(table.close)
    const put = (i: number) =>
      table.put(entry(`some-crate-${i * 7919}`, 1, { description: `a crate of ${i}` }))
    let next = 0
    while (table.blocks.length === 1) put(next++)
    const parts: number[] = []
    while (table.blocks[0]?.isInOrder === false) {
      const spent = workTime()
      put(next++)
      parts.push(spent())
    }
    const all = parts.reduce((sum, part) => sum + part, 0)
    return { share: Math.max(...parts) / all, parts: parts.length }
  })
  assert.ok(most.share < 0.5, `${most.share} of it`)
  assert.ok(most.parts > 5, `${most.parts} parts`)
})

test('no entry waits for most of the work that leaving a block takes, of which most entries have moved', async (t) => {
  const share = await leastOf(5, async () => {
    const table = createCrateTable(noFailure, 4096)
    t.after(table.close)
    const put = (i: number, n: number) =>
      table.put(
        entry(`some-crate-${i}`, n, { description: `a crate of ${i % 100} words`, keywords: ['kept'] }),
      )
    for (let i = 0; i < 4096 + 100; i++) put(i, 1)
    const parts: number[] = []
    for (let i = 0; table.blocks[0]?.size !== 0; i++) {
      const spent = workTime()
      put(i, 2)
      if (i > 2000) parts.push(spent())
    }
    assert.equal(table.size, 4096 + 100)
    assert.equal((await find(table, 'kept')).length, table.size)
    return { longest: Math.max(...parts) / parts.reduce((sum, part) => sum + part, 0), parts: parts.length }
  })
  assert.ok(share.longest < 0.5, `${share.longest} of it`)
  assert.ok(share.parts > 50, `${share.parts} parts`)
})

test('several conditions at once find what a plain filter finds, ranked by the worst term', async (t) => {
  const table = createCrateTable(noFailure, 64)
  t.after(table.close)
  const random = randomFrom(11)
  const texts = ['alpha', 'beta', 'gamma', 'delta', 'alphabet']
  const all = Array.from({ length: 700 }, (_, i) =>
    entry(`${pick(random, texts)}-${i}`, 1, {
      description: `${pick(random, texts)} ${pick(random, texts)}`,
      keywords: [pick(random, texts)],
      categories: [pick(random, ['web', 'web::server', 'website', 'gui'])],
      deps: [pick(random, texts), 'every'],
    }),
  )
  for (const one of all) table.put(one)
  const rankOf = ({ name, description, keywords }: CatalogueEntry, term: string) => {
    if (name === term) return 0
    if (name.startsWith(term)) return 1
    if (name.includes(term)) return 2
    return [description, ...keywords].some((text) => text.includes(term)) ? 3 : Number.NaN
  }
  let found = 0
  for (let turn = 0; turn < 300; turn++) {
    const maybe = <T>(value: T) => (random() < 0.4 ? value : undefined)
    const terms = Array.from({ length: between(random, 0, 3) }, () =>
      pick(random, [...texts, 'a', 'et', '-1']),
    )
    const [letter, keyword] = [maybe(pick(random, ['a', 'be', 'g'])), maybe(pick(random, texts))]
    const [category, dependency] = [maybe('web'), maybe(pick(random, [...texts, 'nothing']))]
    const given = Object.entries({ letter, keyword, category, dependency }).filter(([, value]) => value)
    const criteria = { terms, ...Object.fromEntries(given) }
    const names = maybe(all.slice(turn, turn + 9).map(({ name }) => name))
    const fits = (one: CatalogueEntry) =>
      (letter === undefined || one.name.startsWith(letter)) &&
      (keyword === undefined || one.keywords.includes(keyword)) &&
      (category === undefined || one.categories?.some((slug) => /^web($|::)/.test(slug))) &&
      (dependency === undefined || one.deps?.includes(dependency)) &&
      (names === undefined || names.includes(one.name))
    const wanted = all
      .filter(fits)
      .map((one) => [one.name, Math.max(0, ...terms.map((term) => rankOf(one, term)))] as const)
      .filter(([, rank]) => !Number.isNaN(rank))
    const wantedNames = names !== undefined && { names }
    const { parts, total } = await matchingRows(table, { ...criteria, ...wantedNames }, ALL, async () => {})
    const answer: (readonly [string, number])[] = []
    for (const part of parts)
      eachSlot(part, (slot) => {
        answer.push([part.block.names.spellingAt(slot), levelOf(part, slot)])
      })
    assert.equal(total, wanted.length)
    const byName = (a: readonly [string, number], b: readonly [string, number]) => (a[0] < b[0] ? -1 : 1)
    assert.deepEqual(answer.toSorted(byName), wanted.toSorted(byName), JSON.stringify({ criteria, names }))
    found += wanted.length
  }
  assert.ok(found > 1000, `${found} found`)
})

test('a description of many words costs no more than a long one, and hides neither name nor keywords', async (t) => {
  const table = createCrateTable(noFailure)
  t.after(table.close)
  const description = Array.from({ length: 170_000 }, (_, i) => `w${i.toString(36)}`).join(' ')
  const spent = workTime()
  for (let i = 0; i < 20; i++) table.put(entry(`long-${i}`, 1, { description, keywords: ['kept'] }))
  const each = spent() / 20
  assert.ok(each < 20, `${each} ms`)
  assert.ok((table.blocks[0]?.dictionary.starts.length ?? 0) < 4096, 'words of one crate')
  assert.equal((await find(table, 'kept')).length, 20)
  assert.equal((await find(table, 'long_7')).length, 1)
  assert.equal((await find(table, 'w1z')).length, 20)
  const row = table.rowOf('long-3') ?? assert.fail()
  assert.equal((await table.entriesOf([row]))[0]?.description, description)
})

test('words are found as they are written, whatever is between them and however often they occur', async (t) => {
  const table = createCrateTable(noFailure, 8)
  t.after(table.close)
  const texts = [
    'two  spaces two',
    ' around ',
    'tab\tand\nline',
    'ünusual\u00a0space',
    '',
    'plain words plain',
  ]
  // Each in the block that is open and in one that is closed.
  for (let i = 0; i < 4 * texts.length; i++)
    table.put(
      entry(`c${i}`, 1, { description: texts[i % texts.length] ?? '', keywords: i % 2 ? ['two'] : [] }),
    )
  for (const term of [
    'two',
    'spaces',
    'around',
    'tab',
    'and',
    'line',
    'ünusual',
    'space',
    'plain',
    'words',
    'none',
  ]) {
    const wanted = Array.from({ length: 4 * texts.length }, (_, i) => i).filter(
      (i) => texts[i % texts.length]?.includes(term) || (i % 2 === 1 && 'two'.includes(term)),
    )
    assert.deepEqual(await find(table, term), wanted.map((i) => `c${i}`).sort(), term)
  }
  assert.ok(table.blocks.some(({ isInOrder }) => isInOrder) && !table.blocks.at(-1)?.isInOrder)
})

test('entriesOf() reads back entries of any length, from memory and from the file', async (t) => {
  const table = createCrateTable(noFailure)
  t.after(table.close)
  const long = (i: number) => 'é'.repeat(i % 50 === 0 ? 5000 : i % 7)
  const all = Array.from({ length: 5000 }, (_, i) => entry(`c${i}`, 1, { description: long(i) }))
  for (const one of all) table.put(one)
  // What was added last is still in memory, what was added first is in the file by now.
  await new Promise((resolve) => setTimeout(resolve, 50))
  const rows = [4999, 0, 1, 2, 50, 100, 2500, 4998]
  assert.deepEqual(
    await table.entriesOf(rows),
    rows.map((row) => all[row]),
  )
  assert.deepEqual(await table.entriesOf([]), [])
})

test('a search looks at each crate for less than 5 µs, and at five times as many for no more', async (t) => {
  const of = (count: number) => {
    const table = createCrateTable(noFailure)
    t.after(table.close)
    for (let i = 0; i < count; i++)
      table.put(entry(`some-crate-${i}`, 1, { description: 'A library for this and that, and more of it' }))
    return table
  }
  const [small, large] = [of(4_000), of(20_000)]
  const work = async (table: CrateTable, term: string) => {
    const spent = workTime()
    for (let round = 0; round < 10; round++) await matchingRows(table, { terms: [term] }, ALL, async () => {})
    return (1000 * spent()) / (10 * table.rows)
  }
  for (const term of ['some', 'library', 'qqzz', 'crate-3999']) {
    const each = await leastOf(5, async () => ({
      small: await work(small, term),
      large: await work(large, term),
    }))
    assert.ok(each.large < 5, `${term}: ${each.large} µs`)
    assert.ok(each.large < 3 * each.small + 0.2, `${term}: ${each.large} µs, ${each.small} µs`)
  }
})
