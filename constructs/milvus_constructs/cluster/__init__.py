"""Amazon EKS: control plane, nodes, add-ons, controllers, and what deploys to the cluster."""
