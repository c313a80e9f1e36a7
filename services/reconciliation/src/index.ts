// The service is started by its main.ts; nothing of it is imported.
export {};
