"""One module per subcommand: HELP, `add_arguments(parser)` and `run(arguments)`; heavy imports only inside `run`."""
