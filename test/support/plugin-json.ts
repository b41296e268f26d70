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
    options: z.toJSONSchema(optionsSchema, { io: 'input' }),
  }
  return `${JSON.stringify(manifest, undefined, 2)}\n`
}

function partsThat(relation: 'needs' | 'uses'): string[] {
  return Object.entries(PARTS).flatMap(([part, is]) => (is === relation ? [part] : []))
}
