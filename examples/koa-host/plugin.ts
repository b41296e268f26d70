import { readFile } from 'node:fs/promises'
import type { Middleware } from 'koa'
import type { Host } from 'verdaccio-cargo'
import { z } from 'zod'

/** The version of the contract between host and format that this host keeps. */
const CONTRACT = 1

const pluginJson = z.object({
  name: z.string(),
  format: z.string().regex(/^[a-z][a-z0-9]*$/),
  contract: z.literal(CONTRACT),
  /** The module to load, relative to the plugin.json. */
  entry: z.string().startsWith('./'),
  export: z.string(),
  mount: z.string(),
  needs: z.array(z.string()),
  uses: z.array(z.string()),
  options: z.record(z.string(), z.unknown()),
})

/** A checked plugin.json; no code of the plugin has run. */
export interface Plugin extends z.output<typeof pluginJson> {
  readonly url: URL
}

/** A running format. */
export type Format = Middleware & { readonly mount: string; close(): Promise<void> }

type CreateFormat = (host: Host, options: unknown) => Format

/** Reads the plugin.json at `url`; throws when this host cannot carry the plugin. */
export async function findPlugin(url: URL): Promise<Plugin> {
  return { ...pluginJson.parse(JSON.parse(await readFile(url, 'utf8'))), url }
}

/** Throws, naming the key, when the options do not fit the plugin's own schema, or the host lacks what it needs. */
export function checkPlugin(plugin: Plugin, host: Host, options: unknown): void {
  const lacking = plugin.needs.filter((part) => !(part in host))
  if (lacking.length > 0) throw new Error(`${plugin.name} needs ${lacking.join(', ')}`)
  const result = z.fromJSONSchema(plugin.options).safeParse(options)
  if (!result.success) throw new Error(`options of ${plugin.name}: ${z.prettifyError(result.error)}`)
}

/** Loads the plugin's code and starts its format. */
export async function startFormat(plugin: Plugin, host: Host, options: unknown): Promise<Format> {
  const module: Record<string, unknown> = await import(new URL(plugin.entry, plugin.url).href)
  const create = module[plugin.export]
  if (typeof create !== 'function') throw new Error(`${plugin.name} does not export ${plugin.export}`)
  return (create as CreateFormat)(host, options)
}
