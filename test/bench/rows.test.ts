import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRatios, regression, sectionsOf } from './kept.ts'
import { atLeast, atMost, figureOf, type Row, renderRows } from './rows.ts'

const ROW: Row = {
  name: 'index ÷ nginx',
  unit: 'req/s',
  figure: 'ratio',
  ours: [10, 500, 40],
  theirs: [100, 80, 1],
  goal: atLeast(0.4, 0.6),
}

test('figureOf() compares medians, which one bad round does not change', () => {
  assert.equal(figureOf(ROW), 40 / 80)
  assert.equal(figureOf({ ...ROW, figure: 'difference' }), 40 - 80)
  assert.equal(figureOf({ ...ROW, figure: 'ours' }), 40)
  assert.equal(figureOf({ ...ROW, figure: 'worst' }), 500)
})

test('renderRows() says how a figure stands to its goal', () => {
  const verdictOf = (goal: Row['goal']) =>
    renderRows([{ ...ROW, ...(goal && { goal }) }])
      .split('\n')[2]
      ?.split('|')
      .at(-2)
      ?.trim()
  assert.equal(verdictOf(atLeast(0.4, 0.6)), 'must')
  assert.equal(verdictOf(atLeast(0.4, 0.5)), 'stretch')
  assert.equal(verdictOf(atLeast(0.51)), 'MISSED')
  assert.equal(verdictOf(atMost(0.5)), 'must')
  assert.equal(verdictOf(atMost(0.49)), 'MISSED')
})

test('regression() tells what is a quarter worse than in the table that is kept, in either direction', () => {
  const { goal: _, ...plain } = ROW
  const kept = (row: Row) => parseRatios(renderRows([row]))
  assert.equal(kept(ROW).get('index ÷ nginx'), 0.5)
  const wanting = (ours: number, wants: 'more' | 'less') => ({ ...plain, ours: [ours], theirs: [100], wants })
  assert.equal(regression(wanting(38, 'more'), kept(ROW)), undefined)
  assert.equal(regression(wanting(37, 'more'), kept(ROW)), 'index ÷ nginx: 0.37, it was 0.50')
  assert.equal(regression(wanting(62, 'less'), kept(ROW)), undefined)
  assert.equal(regression(wanting(63, 'less'), kept(ROW)), 'index ÷ nginx: 0.63, it was 0.50')
  assert.equal(regression(wanting(1, 'more'), new Map()), undefined)
  const disturbed = { ...plain, ours: [8, 10, 20, 30, 100], theirs: [16, 60, 40, 100, 200] }
  assert.equal(figureOf(disturbed), 20 / 60)
  assert.equal(regression(disturbed, kept(ROW)), undefined, 'in most rounds it was 0.5')
  assert.equal(regression({ ...plain, figure: 'worst' }, kept(ROW)), undefined)
  assert.equal(kept({ ...ROW, figure: 'ours' }).size, 0)
})

test('sectionsOf() finds what is kept of each kind of machine', () => {
  const text = '# Results\n\nabout\n\n## 2 × A (R)\n\nfirst\n\nmore\n\n## 4 × B\n\nsecond\n'
  assert.deepEqual(
    [...sectionsOf(text)],
    [
      ['2 × A (R)', 'first\n\nmore'],
      ['4 × B', 'second'],
    ],
  )
  assert.deepEqual([...sectionsOf('# Results\n')], [])
})
