import { z } from 'zod'
import { byteSize, interval } from './units.ts'

/** How long files of uplinks are kept. */
export const retention = z
  .strictObject({
    max_age: interval
      .optional()
      .describe('`.crate` files of uplinks that nobody downloaded for so long go; absent: they stay'),
    max_size: byteSize
      .optional()
      .describe(
        'most bytes of such files: those that were downloaded least recently go first; absent: as many as there are',
      ),
    every: interval
      .refine((ms) => ms >= 60_000, 'must be at least a minute')
      .prefault('1d')
      .describe(
        'how often the storage is tidied, by one of the processes that share it, if one of the two is set',
      ),
  })
  .prefault({})
  .describe('how long files of uplinks are kept; index files and what was published here are never touched')

export type RetentionOptions = z.output<typeof retention>
