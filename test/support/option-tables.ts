import { stringify } from 'yaml'

/** As much of a JSON Schema as the tables need. */
export interface Schema {
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  /** What every key of a map leads to. */
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

interface Row {
  readonly key: string
  readonly fallback: string
  readonly meaning: string
}

/**
 * A Markdown table of each group of options, by the path of the group: `''` for the options themselves, and the key of
 * each map or list whose values have options of their own. Objects within a group are rows with dotted keys.
 * @throws {Error} for an option without a description
 */
export function optionTables(schema: Schema): ReadonlyMap<string, string> {
  const tables = new Map<string, string>()
  addTable(schema, '')
  return tables

  function addTable(group: Schema, path: string): void {
    const rows = rowsOf(group, '', undefined, path)
    const title = path === '' ? 'key' : `key in \`${path}\``
    tables.set(path, renderTable(title, rows))
  }

  function rowsOf(group: Schema, prefix: string, given: unknown, path: string): readonly Row[] {
    const required = new Set(prefix === '' ? group.required : [])
    return Object.entries(propertiesOf(group)).flatMap(([name, option]) => {
      const key = `${prefix}${name}`
      const value = valueAt(option.default, given, name)
      if (Object.keys(propertiesOf(option)).length > 0) return rowsOf(option, `${key}.`, value, path)
      const place = path === '' ? key : `${path}.${key}`
      const each = elementOf(option)
      if (each !== undefined) addTable(each, place)
      if (option.description === undefined) throw new Error(`option \`${place}\` has no description`)
      const fallback = required.has(name) && value === undefined ? 'required' : renderDefault(value)
      return [{ key, fallback, meaning: option.description }]
    })
  }
}

/** The options of an object, those of all alternatives together when there are several. */
function propertiesOf({ properties, anyOf, oneOf }: Schema): Readonly<Record<string, Schema>> {
  const alternatives = [...(anyOf ?? []), ...(oneOf ?? [])].map(propertiesOf)
  return Object.assign({}, ...alternatives, properties)
}

/** What a map or a list holds, when that has options of its own. */
function elementOf({ additionalProperties, items }: Schema): Schema | undefined {
  const each = typeof additionalProperties === 'object' ? additionalProperties : items
  return each !== undefined && Object.keys(propertiesOf(each)).length > 0 ? each : undefined
}

/** An option's own default, else its part of the one that the object around it has. */
function valueAt(own: unknown, around: unknown, name: string): unknown {
  if (own !== undefined || typeof around !== 'object' || around === null) return own
  return Reflect.get(around, name)
}

function renderDefault(value: unknown): string {
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
  if (value === undefined || isEmpty) return ''
  return `\`${renderFlow(value)}\``
}

/** As one would write it on one line of a YAML file. */
function renderFlow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', singleQuote: true, lineWidth: 0 }).trim()
}

function renderTable(title: string, rows: readonly Row[]): string {
  const lines = rows.map(
    ({ key, fallback, meaning }) => `| \`${key}\` | ${fallback} | ${meaning.replaceAll('|', '\\|')} |`,
  )
  return [`| ${title} | default | meaning |`, '|---|---|---|', ...lines].join('\n')
}
