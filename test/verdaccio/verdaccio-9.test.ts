import { declareEveryday } from './everyday.ts'

declareEveryday('9.0.0-next-9.31')
