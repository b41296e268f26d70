import { declareEveryday } from './everyday.ts'

declareEveryday('6.5.0')
