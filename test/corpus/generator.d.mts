export declare const STRINGS_FILE: string;
/** The whole corpus, by path below its folder. */
export declare function generateCorpus(seed?: number): Map<string, Buffer>;
