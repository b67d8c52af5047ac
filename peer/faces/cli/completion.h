/* The inside of `palique completion`: a script for each of three shells, written from the tables
 * (options_table.h), in the reader's language. */
#ifndef PALIQUE_PEER_FACES_CLI_COMPLETION_H
#define PALIQUE_PEER_FACES_CLI_COMPLETION_H

#include <stdio.h>

void completion_bash(FILE *out);
void completion_zsh(FILE *out);
void completion_fish(FILE *out);

/* Text between single quotes: a single quote in it becomes `quote`, and the signs in `also` get a backslash. */
void completion_text(FILE *out, const char *text, const char *quote, const char *also);
/* All commands, with a space between. */
void completion_commands(FILE *out);
/* For each command and each letter of an option with a value what `put` writes: a letter can stand for two
 * options, of which only one has a value. */
struct option_row;
void completion_letters(FILE *out, void (*put)(FILE *out, const char *command,
					       const struct option_row *row));

#endif
