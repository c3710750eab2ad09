// What cameras saw of an episode in motion: of each the picture nearest in time, and how far from it that is if it is far.
const SEEN_FAR = 0.5; // seconds

class Seen {
  constructor(box, films) {
    this.films = films.map((film) => {
      const figure = document.createElement("figure"), image = document.createElement("img"), told = document.createElement("figcaption");
      image.alt = `what the camera ${film.camera} saw`;
      figure.append(image, told);
      return { ...film, figure, image, told };
    });
    box.replaceChildren(...this.films.map((film) => film.figure));
    box.hidden = !films.length;
  }

  show(second) {
    for (const film of this.films) {
      const at = this.nearest(film.at, second), apart = Math.abs(film.at[at] - second);
      if (film.shown !== at) film.image.src = `data:image/jpeg;base64,${film.jpegs[at]}`;
      film.shown = at;
      film.figure.dataset.at = film.at[at];
      film.told.textContent = apart > SEEN_FAR ? `${film.camera}, ${apart.toFixed(1)} s ${film.at[at] < second ? "before" : "later"}` : film.camera;
    }
  }

  nearest(list, second) {
    let [low, high] = [0, list.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle] >= second) high = middle; else low = middle + 1;
    }
    return low && second - list[low - 1] <= list[low] - second ? low - 1 : low;
  }
}
