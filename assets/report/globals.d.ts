/** What the page's scripts share besides themselves: chart.js as a script of its own, and the shape of the data. */
declare const Chart: typeof import('chart.js').Chart;
type PageData = import('../../src/report/html/data.ts').PageData;
type PageFigure = import('../../src/report/html/data.ts').PageFigure;
type PageMark = import('../../src/report/html/data.ts').PageMark;
type PageRow = import('../../src/report/html/data.ts').PageRow;
type Bar = Exclude<PageMark, string>;
type Theme = import('../../src/report/charts/palette.ts').Theme;
type BarChart = import('chart.js').Chart<'bar'>;
