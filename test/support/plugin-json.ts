import { z } from 'zod'
import type { Host } from '../../src/host.ts'
import { optionsSchema } from '../../src/options.ts'

type Part = keyof Host
type Needed = { [P in Part]-?: undefined extends Host[P] ? never : P }[Part]

/** The parts of a host; the compiler refuses a list that lacks one, or calls an optional one needed. */
const PARTS: { readonly [P in Part]: P extends Needed ? 'needs' : 'uses' } = {
  auth: 'needs',
  storage: 'needs',
  cache: 'uses',
  metrics: 'uses',
  logger: 'uses',
  publicUrl: 'uses',
  emit: 'uses',
}

/** What `plugin.json` has to say: what a host reads before it loads any code. */
export function renderPluginJson(): string {
  const manifest = {
    name: 'verdaccio-cargo',
    format: 'cargo',
    contract: 1,
    entry: './dist/index.js',
    export: 'cargo',
    mount: optionsSchema.parse({}).mount,
    needs: partsThat('needs'),
    uses: partsThat('uses'),
    options: z.toJSONSchema(optionsSchema, { io: 'input', override: keepIgnoredCase }),
  }
  return `${JSON.stringify(manifest, undefined, 2)}\n`
}

function partsThat(relation: 'needs' | 'uses'): string[] {
  return Object.entries(PARTS).flatMap(([part, is]) => (is === relation ? [part] : []))
}

/** A pattern of JSON Schema has no flags, so that letters whose case does not matter are spelt out. */
function keepIgnoredCase({ zodSchema, jsonSchema }: Parameters<Override>[0]): void {
  const { patterns } = zodSchema._zod.bag as { patterns?: ReadonlySet<RegExp> }
  for (const { source, flags } of patterns ?? []) {
    if (!flags.includes('i') || jsonSchema.pattern !== source) continue
    jsonSchema.pattern = source.replace(
      /\[([a-z]+)\]|(?<!\\)[a-z]/g,
      (letter, several: string = letter) => `[${several}${several.toUpperCase()}]`,
    )
  }
}

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>
