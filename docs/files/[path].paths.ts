import { filePages, type FilePage } from '../.vitepress/links.ts';

/** Makes a page for each linked file outside of `docs/`. */
export default {
  paths: (): FilePage[] => filePages(),
};
