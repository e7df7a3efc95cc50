/** Stack Exchange: dumps of posts, and the data sets of preferences made of them. */
@NullMarked
package dev.distillery.datasets.stackexchange;

import org.jspecify.annotations.NullMarked;
