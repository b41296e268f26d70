import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { optionTables, type Schema } from './option-tables.ts'

test('optionTables() renders defaults, dotted keys, and a table for what is in maps and lists', () => {
  const tables = tablesOf(
    z.strictObject({
      size: z.string().default('1MiB').describe('how large'),
      names: z.array(z.string()).default([]).describe('a | b'),
      store: z.strictObject({ path: z.string().describe('where') }).prefault({ path: './data' }),
      limits: z.strictObject({ rate: z.int().default(5).describe('how often') }).prefault({}),
      hooks: z
        .array(
          z.strictObject({
            url: z.string().describe('whom'),
            events: z.string().optional().describe('what'),
          }),
        )
        .default([])
        .describe('whom to tell'),
    }),
  )
  assert.deepEqual(Object.fromEntries(tables), {
    '': [
      '| key | default | meaning |',
      '|---|---|---|',
      '| `size` | `1MiB` | how large |',
      '| `names` |  | a \\| b |',
      '| `store.path` | `./data` | where |',
      '| `limits.rate` | `5` | how often |',
      '| `hooks` |  | whom to tell |',
    ].join('\n'),
    hooks: [
      '| key in `hooks` | default | meaning |',
      '|---|---|---|',
      '| `url` | required | whom |',
      '| `events` |  | what |',
    ].join('\n'),
  })
})

test('optionTables() joins the options of alternatives', () => {
  const fs = z.strictObject({ fs: z.string().describe('folder') })
  const s3 = z.strictObject({ s3: z.string().describe('bucket') })
  const [table = ''] = tablesOf(z.strictObject({ storage: z.union([fs, s3]) })).values()
  assert.match(table, /\| `storage\.fs` \| {2}\| folder \|\n\| `storage\.s3` \| {2}\| bucket \|$/)
})

test('optionTables() refuses an option without a description', () => {
  assert.throws(
    () => tablesOf(z.strictObject({ map: z.record(z.string(), z.strictObject({ key: z.string() })) })),
    /option `map\.key` has no description/,
  )
})

function tablesOf(schema: z.ZodType): ReadonlyMap<string, string> {
  return optionTables(z.toJSONSchema(schema, { io: 'input' }) as Schema)
}
