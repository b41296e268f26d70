import { ConfigError } from './config.ts'

/** Environment variables by name; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A setting and where it belongs: `['storage', 'fs', 'path']`. */
export interface Override {
  readonly path: readonly string[]
  readonly value: unknown
}

const PREFIX = 'VERDACCIO_CARGO_'
/** A credential for commands that talk to a server, not a setting of one. */
export const TOKEN_VARIABLE = 'VERDACCIO_CARGO_TOKEN'

/** What is meant as JSON: a map, a list, a string in quotes, a boolean, a number that is read without loss. */
const JSON_TEXT = /^(\s*[[{"]|true$|false$|(0|[1-9]\d{0,14})$)/
/** `listen` with an IPv6 address, which begins like a list. */
const IPV6_ADDRESS = /^\[[0-9a-fA-F:.]*\]:\d+$/

/**
 * The settings in the environment: `VERDACCIO_CARGO_STORAGE__FS__PATH` is `storage.fs.path`. Maps, lists, numbers,
 * booleans and what is in quotes are JSON, everything else is a string; an empty variable is as good as none. Settings
 * at one of the paths `texts` are strings whatever they look like.
 * @throws {ConfigError} naming the variable that cannot be read
 */
export function environmentOverrides(
  environment: Environment,
  texts: readonly (readonly string[])[] = [],
): readonly Override[] {
  const isText = (path: readonly string[]) => texts.some((text) => text.join() === path.join())
  const overrides = Object.entries(environment).flatMap(([name, text]) => {
    if (!name.startsWith(PREFIX) || name === TOKEN_VARIABLE || !text) return []
    const path = pathOf(name)
    return [{ path, value: isText(path) ? text : parseValue(name, text) }]
  })
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
  if (!JSON_TEXT.test(text) || IPV6_ADDRESS.test(text)) return text
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ConfigError([`environment variable \`${name}\`: not valid JSON`], { cause })
  }
}
