import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Case } from './contest.ts'
import { leftOut, type QuickSpec, quickRun } from './quick.ts'
import type { Row } from './rows.ts'

const KEPT = new Map([['index ÷ nginx', 0.5]])

/** A case of one row whose rounds have these ratios, the last one again and again. */
function caseOf(
  ratios: readonly number[],
  { quickRounds, unjudged }: Partial<Pick<Case, 'quickRounds'> & Pick<Row, 'unjudged'>> = {},
): Case & { readonly rounds: number[] } {
  const rounds: number[] = []
  const ours: number[] = []
  const row: Pick<Row, 'name' | 'unit' | 'figure'> = { name: 'index ÷ nginx', unit: 'req/s', figure: 'ratio' }
  return {
    name: 'index',
    ...(quickRounds !== undefined && { quickRounds }),
    rounds,
    async round(number) {
      ours.push(100 * (ratios[rounds.length] ?? ratios.at(-1) ?? Number.NaN))
      rounds.push(number)
    },
    rows: () => [{ ...row, ...(unjudged !== undefined && { unjudged }), ours, theirs: ours.map(() => 100) }],
  }
}

/** There is time for so many rounds more, and others take so much in each round, none afterwards. */
function spec(more = 0, others: readonly number[] = []): QuickSpec {
  let left = more
  const shares = others.values()
  const watchOthers = () => () => shares.next().value ?? 0
  return { rounds: 3, kept: KEPT, hasTime: () => left-- > 0, watchOthers }
}

test('quickRun() measures what is no worse in the rounds it has, and no more', async () => {
  const [steady, seldom] = [caseOf([0.38]), caseOf([0.38], { quickRounds: 1 })]
  assert.deepEqual(await quickRun([steady, seldom], spec(9)), [])
  assert.deepEqual(steady.rounds, [0, 1, 2])
  assert.deepEqual(seldom.rounds, [0])
})

test('quickRun() measures twice more what seems worse, and then as long as there is time', async () => {
  const slow = caseOf([0.3])
  assert.deepEqual(await quickRun([slow, caseOf([0.5])], spec()), ['index ÷ nginx: 0.30, it was 0.50'])
  assert.deepEqual(slow.rounds, [0, 1, 2, 3, 4])
  const slower = caseOf([0.3])
  await quickRun([slower], spec(4))
  assert.equal(slower.rounds.length, 9)
})

test('quickRun() believes the median of all rounds, in which noise does not show', async () => {
  const noisy = caseOf([0.2, 0.5, 0.2, 0.5])
  assert.deepEqual(await quickRun([noisy], spec(9)), [])
  assert.deepEqual(noisy.rounds, [0, 1, 2, 3, 4])
})

test('quickRun() judges by calm rounds as soon as there are some, and by all before', async () => {
  const [busy, calm] = [0.3, 0.05]
  const disturbed = caseOf([0.2, 0.2, 0.2, 0.2, 0.5])
  assert.deepEqual(await quickRun([disturbed], spec(9, [busy, busy, busy, busy, calm])), [])
  assert.equal(disturbed.rounds.length, 7)
  assert.deepEqual(await quickRun([caseOf([0.2])], spec(0, Array(5).fill(busy))), [
    'index ÷ nginx: 0.20, it was 0.50',
  ])
})

test('quickRun() does not judge a row that tells why', async () => {
  const wild = caseOf([0.1], { unjudged: 'nginx sleeps at times' })
  assert.deepEqual(await quickRun([wild], spec(9)), [])
  assert.equal(
    leftOut([wild], spec()),
    'Shown and not judged either: index ÷ nginx, as nginx sleeps at times.',
  )
})

test('leftOut() names what has fewer rounds, no kept ratio, or no place in a quick run', async () => {
  const it = caseOf([0.5], { quickRounds: 1 })
  await quickRun([it], spec())
  assert.equal(leftOut([it], { rounds: 3, kept: KEPT }), 'Begun with fewer rounds: index (1).')
  assert.equal(
    leftOut([it], { rounds: 1, kept: new Map([['other', 1]]) }),
    'Shown and not judged, as no ratio of them is kept: index ÷ nginx.\n\nOnly in a whole run: other.',
  )
})
