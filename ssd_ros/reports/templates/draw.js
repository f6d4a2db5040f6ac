const packed = Uint8Array.from(atob(document.getElementById('plotly').textContent), c => c.charCodeAt(0));
const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
const library = document.createElement('script');
library.text = await new Response(unpacked).text();
document.head.append(library);
for (const chart of document.querySelectorAll('.chart')) {
  const { data, layout } = JSON.parse(chart.nextElementSibling.textContent);
  Plotly.newPlot(chart, data, layout, {
    responsive: true, displaylogo: false, modeBarButtons: [['toImage', 'resetScale2d']],
  });
}
