"""A site that has its links in a folder, whose name is not ASCII."""

from django.urls import include, path

urlpatterns = [path("büro/", include("directlinks.urls"))]
