import { ConfigError } from './config.ts'

/** Environment variables by name; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A setting and where it belongs: `['storage', 'fs', 'path']`. */
export interface Override {
  readonly path: readonly string[]
  readonly value: unknown
}

const PREFIX = 'VERDACCIO_CARGO_'

/**
 * The settings in the environment: `VERDACCIO_CARGO_STORAGE__FS__PATH` is `storage.fs.path`. Maps, lists, numbers and
 * booleans are JSON, everything else is a string; an empty variable is as good as none.
 * @throws {ConfigError} naming the variable that cannot be read
 */
export function environmentOverrides(environment: Environment): readonly Override[] {
  const overrides = Object.entries(environment).flatMap(([name, text]) =>
    name.startsWith(PREFIX) && text ? [{ path: pathOf(name), value: parseValue(name, text) }] : [],
  )
  // A map comes before its own keys, which then refine it.
  return overrides.sort((a, b) => a.path.length - b.path.length)
}

/** A copy of `tree` with one setting replaced. */
export function withOverride(tree: unknown, { path, value }: Override): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  const map: Readonly<Record<string, unknown>> = isMap(tree) ? tree : {}
  return { ...map, [key]: withOverride(map[key], { path: rest, value }) }
}

/** The setting at a path; `undefined` when it is not there. */
export function settingAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce((node: unknown, key) => (isMap(node) ? node[key] : undefined), tree)
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function pathOf(name: string): readonly string[] {
  const path = name.slice(PREFIX.length).toLowerCase().split('__')
  if (path.every((key) => /^[a-z][a-z0-9_]*$/.test(key))) return path
  throw new ConfigError([`environment variable \`${name}\` names no setting`])
}

function parseValue(name: string, text: string): unknown {
  if (!/^(\s*[[{]|true$|false$|\d+$)/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ConfigError([`environment variable \`${name}\`: not valid JSON`], { cause })
  }
}
