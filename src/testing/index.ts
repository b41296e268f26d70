export { type ContractOptions, objectStoreContract, type StoreFactory } from './object-store-contract.ts'
