import { z } from 'zod'
import { optionsSchema } from '../../src/options.ts'
import { configSchema } from '../../src/server/config.ts'
import { optionTables, type Schema } from './option-tables.ts'

/** Schemas by the word that begins the markers of their tables in the README. */
const SCHEMAS = { options: optionsSchema, settings: configSchema } as const

/** `<!-- options -->`, or `<!-- options: uplinks -->` for the options within `uplinks`, up to `<!-- /options -->`. */
const BLOCK = /<!-- (options|settings)(?:: (\S+))? -->\n[\s\S]*?<!-- \/\1 -->/g

/**
 * The README with each table of options as the schemas have it.
 * @throws {Error} for a table that has no markers, and for markers that have no table
 */
export function renderReadme(readme: string): string {
  const tables = new Map(
    Object.entries(SCHEMAS).flatMap(([word, schema]) =>
      tablesOf(word, z.toJSONSchema(schema, { io: 'input' })),
    ),
  )
  const text = readme.replaceAll(BLOCK, (_, word: string, path = '') => {
    const marker = markerOf(word, path)
    const table = tables.get(marker)
    if (table === undefined) throw new Error(`\`${marker}\` in the README has no table`)
    tables.delete(marker)
    return `${marker}\n\n${table}\n\n<!-- /${word} -->`
  })
  const [missing] = tables.keys()
  if (missing !== undefined) {
    const end = missing.replace(/^<!-- (\w+).*/, '<!-- /$1 -->')
    throw new Error(`the README has no lines \`${missing}\` and \`${end}\``)
  }
  return text
}

function tablesOf(word: string, schema: object): readonly (readonly [string, string])[] {
  return [...optionTables(schema as Schema)].map(([path, table]) => [markerOf(word, path), table] as const)
}

function markerOf(word: string, path: string): string {
  return path === '' ? `<!-- ${word} -->` : `<!-- ${word}: ${path} -->`
}
